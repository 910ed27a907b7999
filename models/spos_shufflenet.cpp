#include "retia/models/spos_shufflenet.h"

#include <algorithm>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/shuffle_block.h"
#include "retia/models/width.h"

namespace retia {
namespace {

std::vector<ir::CandidateWriter> candidates(int64_t in, int64_t out, int64_t stride) {
  const int64_t side = std::min(in, out / 2);
  const auto unit = [=](int64_t kernel, ShuffleBranch branch) {
    return ops::shuffle_block(
        {.out = out, .kernel = kernel, .stride = stride, .branch = branch, .side = side});
  };
  return {{"shuffle3", unit(3, ShuffleBranch::Plain)},
          {"shuffle5", unit(5, ShuffleBranch::Plain)},
          {"shuffle7", unit(7, ShuffleBranch::Plain)},
          {"xception", unit(3, ShuffleBranch::Xception)}};
}

void check(const SposShuffleNetOptions& o) {
  check_declared(o, "space 'spos_shufflenet'");
  TORCH_CHECK(o.blocks.size() == o.channels.size() && !o.blocks.empty(),
              "space 'spos_shufflenet': blocks and channels need one number per stage each, got ",
              o.blocks.size(), " and ", o.channels.size());
  for (const int64_t channels : o.channels) {
    TORCH_CHECK(channels % 2 == 0,
                "space 'spos_shufflenet': the channels of a stage must be even, got ", channels);
  }
}

}  // namespace

ir::Graph spos_shufflenet(const SposShuffleNetOptions& o, const Task& task) {
  check(o);
  const auto scaled = [&o](int64_t channels) { return scaled_channels(channels, o.width, 2); };
  Builder b("spos_shufflenet");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  int64_t channels = scaled(o.stem_channels);
  Wire x = b.add("stem",
                 ops::conv_bn({.out = channels, .stride = o.stem_stride, .relu = ReluPlace::After}),
                 {image});
  int64_t block = 0;
  for (size_t stage = 0; stage < o.blocks.size(); ++stage) {
    for (int64_t i = 0; i < o.blocks[stage]; ++i) {
      const int64_t in = std::exchange(channels, scaled(o.channels[stage]));
      x = b.layer_choice("block" + std::to_string(block++),
                         candidates(in, channels, i == 0 ? 2 : 1), {x});
    }
  }
  x = b.add("last", ops::conv_bn({.out = o.last_channels, .kernel = 1, .relu = ReluPlace::After}),
            {x});
  x = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return b.finish();
}

}  // namespace retia
