#include "retia/models/enas_micro.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/ops/sep_conv.h"

namespace retia {
namespace {

/// The output of a cell, with the number of times the image has been halved so far.
struct CellOutput {
  Wire wire;
  int64_t halvings = 0;
};

/// The settings that all cells of one kind share.
struct CellForm {
  std::string label;
  int64_t nodes = 0;
  bool affine = true;
};

std::vector<ir::CandidateWriter> state_candidates(bool affine) {
  return {{"sep_conv_3x3", ops::sep_conv({.kernel = 3, .affine = affine})},
          {"sep_conv_5x5", ops::sep_conv({.kernel = 5, .affine = affine})},
          {"avg_pool_3x3", ops::avg_pool2d()},
          {"max_pool_3x3", ops::max_pool2d()},
          {"identity", ops::identity()}};
}

/// Returns `state` brought to the given number of channels and halvings, in one scope.
Wire brought_to(Builder& b, const std::string& name, const CellOutput& state, int64_t channels,
                int64_t halvings, bool affine) {
  const auto scope = b.scope(name);
  if (state.halvings == halvings) {
    return b.add(
        "conv",
        ops::conv_bn({.out = channels, .kernel = 1, .relu = ReluPlace::Before, .affine = affine}),
        {state.wire});
  }
  Wire x = state.wire;
  for (int64_t i = state.halvings; i < halvings; ++i) {
    x = b.add("reduce" + std::to_string(i),
              ops::factorized_reduce({.out = channels, .affine = affine}), {x});
  }
  return x;
}

/// The nodes of a cell whose first two states are `states`, joined.
Wire cell(Builder& b, std::vector<Wire> states, const CellForm& form) {
  const auto labels = b.label_scope(form.label);
  std::vector<std::string> names = {"0", "1"};
  for (int64_t j = 2; j < form.nodes + 2; ++j) {
    const std::string node = std::to_string(j);
    const auto scope = b.scope(node);
    std::vector<Wire> operands;
    for (const std::string k : {"0", "1"}) {
      const Wire read = b.input_choice("input" + k, states, {.names = names});
      operands.push_back(b.layer_choice("op" + k, state_candidates(form.affine), {read}));
    }
    states.push_back(b.add("sum", ops::add(), operands));
    names.push_back(node);
  }
  return b.add("concat", ops::concat(), {states.begin() + 2, states.end()});
}

}  // namespace

ir::Graph enas_micro(const EnasMicroOptions& o, const Task& task) {
  check_declared(o, "space 'enas_micro'");
  Builder b("enas_micro");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  CellOutput older{b.add("stem", ops::conv_bn({.out = 3 * o.channels}), {image})};
  CellOutput newer = older;
  int64_t channels = o.channels;
  for (int64_t i = 0; i < o.layers; ++i) {
    const bool reduces = i == o.layers / 3 || i == 2 * o.layers / 3;
    channels *= reduces ? 2 : 1;
    const int64_t halvings = newer.halvings + (reduces ? 1 : 0);
    const auto scope = b.scope("cell" + std::to_string(i));
    const std::vector<Wire> inputs = {brought_to(b, "pre0", older, channels, halvings, o.affine),
                                      brought_to(b, "pre1", newer, channels, halvings, o.affine)};
    const CellForm form{reduces ? "reduce" : "normal", o.nodes, o.affine};
    older = std::exchange(newer, {cell(b, inputs, form), halvings});
  }
  Wire x = b.add("relu", ops::relu(), {newer.wire});
  x = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return b.finish();
}

}  // namespace retia
