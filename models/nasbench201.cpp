#include "retia/models/nasbench201.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/conv_bn.h"

namespace retia {
namespace {

constexpr int64_t kNodes = 4;
constexpr const char* kCellLabel = "cell";

/// The operations of an edge, in the benchmark's order and by its names.
std::vector<ir::CandidateWriter> edge_candidates(bool affine) {
  const auto nor_conv = [affine](int64_t kernel) {
    return ops::conv_bn({.kernel = kernel, .relu = ReluPlace::Before, .affine = affine});
  };
  return {{"none", ops::zero()},
          {"skip_connect", ops::identity()},
          {"nor_conv_1x1", nor_conv(1)},
          {"nor_conv_3x3", nor_conv(3)},
          {"avg_pool_3x3", ops::avg_pool2d()}};
}

std::string edge_name(int64_t from, int64_t to) {
  return std::to_string(from) + "-" + std::to_string(to);
}

Wire cell(Builder& b, Wire x, bool affine) {
  const auto labels = b.label_scope(kCellLabel);
  std::vector<Wire> nodes = {x};
  for (int64_t j = 1; j < kNodes; ++j) {
    std::vector<Wire> edges;
    for (int64_t i = 0; i < j; ++i) {
      const Wire from = nodes[static_cast<size_t>(i)];
      edges.push_back(b.layer_choice(edge_name(i, j), edge_candidates(affine), {from}));
    }
    nodes.push_back(b.add(std::to_string(j), ops::add(), edges));
  }
  return nodes.back();
}

/// [C, H, W] -> [2 C, H / 2, W / 2]: a basic block of ResNet (He et al. 2016) whose shortcut is a
/// mean of 2 x 2 pixels and a pointwise convolution.
Wire residual_block(Builder& b, Wire x) {
  const Dim out = 2 * b.channels(x);
  const auto conv = [out](int64_t stride) {
    return ops::conv_bn({.out = out, .stride = stride, .relu = ReluPlace::Before});
  };
  const Wire changed = b.add("conv2", conv(1), {b.add("conv1", conv(2), {x})});
  const Wire halved = b.add("pool", ops::avg_pool2d({.kernel = 2, .stride = 2, .padding = 0}), {x});
  const Wire shortcut = b.add("shortcut", ops::conv2d({.out = out, .kernel = 1}), {halved});
  return b.add("add", ops::add(), {shortcut, changed});
}

}  // namespace

ir::Graph nasbench201(const NasBench201Options& o, const Task& task) {
  check_declared(o, "space 'nasbench201'");
  for (size_t d = 1; d < task.input.size(); ++d) {
    TORCH_CHECK(task.input[d] % 4 == 0,
                "space 'nasbench201': height and width must be multiples of 4, got ",
                c10::Join(" x ", std::vector(task.input.begin() + 1, task.input.end())));
  }
  Builder b("nasbench201");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  Wire x = b.add("stem", ops::conv_bn({.out = o.channels}), {image});
  for (int64_t stage = 0; stage < 3; ++stage) {
    const auto scope = b.scope("stage" + std::to_string(stage));
    if (stage > 0) {
      const auto inner = b.scope("reduce");
      x = residual_block(b, x);
    }
    for (int64_t i = 0; i < o.cells; ++i) {
      const auto inner = b.scope("cell" + std::to_string(i));
      x = cell(b, x, o.affine);
    }
  }
  x = b.add("relu", ops::relu(), {b.add("bn", ops::batch_norm(), {x})});
  const Wire mean = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {mean}));
  return b.finish();
}

std::string nasbench201_key(const Architecture& architecture) {
  const std::vector<ir::CandidateWriter> operations = edge_candidates(true);
  std::string key;
  for (int64_t j = 1; j < kNodes; ++j) {
    key += j == 1 ? "|" : "+|";
    for (int64_t i = 0; i < j; ++i) {
      const std::string label = std::string(kCellLabel) + "/" + edge_name(i, j);
      const std::vector<int64_t>& chosen = architecture.at(label).chosen;
      TORCH_CHECK(chosen.size() == 1 && chosen[0] >= 0 &&
                      chosen[0] < static_cast<int64_t>(operations.size()),
                  "'", label, "' must decide for one of ", operations.size(), " operations");
      key += operations[static_cast<size_t>(chosen[0])].name + "~" + std::to_string(i) + "|";
    }
  }
  return key;
}

}  // namespace retia
