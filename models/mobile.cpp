#include "retia/models/mobile.h"

#include <algorithm>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/mb_conv.h"
#include "retia/models/width.h"

namespace retia {
namespace {

enum class Skip { Without, With };

std::vector<ir::CandidateWriter> candidates(int64_t out, int64_t stride, Skip skip) {
  std::vector<ir::CandidateWriter> blocks;
  for (const int64_t kernel : {3, 5, 7}) {
    for (const int64_t expansion : {3, 6}) {
      blocks.emplace_back(
          c10::str("k", kernel, "_e", expansion),
          ops::mb_conv({.out = out, .kernel = kernel, .stride = stride, .expansion = expansion}));
    }
  }
  if (skip == Skip::With) {
    blocks.emplace_back("skip", ops::identity());
  }
  return blocks;
}

ir::Expression value_choice(const std::string& label, const std::vector<int64_t>& values) {
  std::vector<ir::Expression> options;
  for (const int64_t value : values) {
    options.emplace_back(Json(value));
  }
  return ir::Expression::choice(label, options);
}

/// Adds one block of all kernels and expansions, under the name and the labels of `name`.
Wire elastic_block(Builder& b, Wire x, const std::string& name, const Dim& out, int64_t stride,
                   Skip skip) {
  const ir::Operation block =
      ops::mb_conv({.out = out,
                    .kernel = value_choice(name + "/kernel", {3, 5, 7}),
                    .stride = stride,
                    .expansion = value_choice(name + "/expansion", {3, 6})});
  return skip == Skip::With
             ? b.layer_choice(name, {{"block", block}, {"skip", ops::identity()}}, {x})
             : b.add(name, block, {x});
}

/// Convolution, normalisation and relu6 under one scope.
Wire conv_relu6(Builder& b, Wire x, const std::string& name, const Conv2dOptions& options) {
  const auto scope = b.scope(name);
  x = b.add("bn", ops::batch_norm(), {b.add("conv", ops::conv2d(options), {x})});
  return b.add("relu", ops::relu6(), {x});
}

/// The channels of a stage: those that `width` gives, times one of `widths`.
Dim channels_of_stage(const MobileOptions& o, size_t stage) {
  std::vector<int64_t> options;
  for (const double width : o.widths) {
    options.push_back(scaled_channels(o.channels[stage], o.width * width, kMobileDivisor));
  }
  std::sort(options.begin(), options.end());
  options.erase(std::unique(options.begin(), options.end()), options.end());
  return options.size() == 1
             ? Dim(options.front())
             : Dim(value_choice("stage" + std::to_string(stage) + "/width", options));
}

void check(const MobileOptions& o) {
  check_declared(o, "space 'mobile'");
  TORCH_CHECK(o.blocks.size() == o.channels.size() && o.blocks.size() == o.strides.size() &&
                  !o.blocks.empty(),
              "space 'mobile': blocks, channels and strides need one number per stage each, got ",
              o.blocks.size(), ", ", o.channels.size(), " and ", o.strides.size());
  TORCH_CHECK(!o.widths.empty() && (o.elastic || o.widths.size() == 1),
              "space 'mobile': one width is needed, or several for an elastic space (--set "
              "space.elastic=true), got ",
              o.widths.size());
}

}  // namespace

ir::Graph mobile(const MobileOptions& o, const Task& task) {
  check(o);
  const auto scaled = [](int64_t channels, double width) {
    return scaled_channels(channels, width, kMobileDivisor);
  };
  Builder b("mobile");
  Wire x = b.input("image", {task.input.begin(), task.input.end()});
  x = conv_relu6(b, x, "stem", {.out = scaled(o.stem_channels, o.width), .stride = o.stem_stride});
  Dim channels = scaled(o.first_channels, o.width);
  x = b.add("first", ops::mb_conv({.out = channels, .expansion = 1}), {x});
  int64_t block = 0;
  for (size_t stage = 0; stage < o.blocks.size(); ++stage) {
    const Dim stage_channels = channels_of_stage(o, stage);
    for (int64_t i = 0; i < o.blocks[stage]; ++i) {
      const int64_t stride = i == 0 ? o.strides[stage] : 1;
      const Dim in = std::exchange(channels, stage_channels);
      const Skip skip = stride == 1 && in == channels ? Skip::With : Skip::Without;
      const std::string name = "block" + std::to_string(block++);
      x = o.elastic ? elastic_block(b, x, name, channels, stride, skip)
                    : b.layer_choice(name, candidates(channels.value(), stride, skip), {x});
    }
  }
  const int64_t last = scaled(o.last_channels, std::max(o.width, 1.0));
  x = conv_relu6(b, x, "last", {.out = last, .kernel = 1});
  x = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return b.finish();
}

}  // namespace retia
