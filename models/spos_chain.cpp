#include "retia/models/spos_chain.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/shuffle_block.h"

namespace retia {

ir::Graph spos_chain(const SposChainOptions& o, const Task& task) {
  check_declared(o, "space 'spos_chain'");
  TORCH_CHECK(o.channels % 2 == 0, "space 'spos_chain': channels must be even, got ", o.channels);
  Builder b("spos_chain");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  Wire x = b.add("stem", ops::conv_bn({.out = o.channels, .relu = ReluPlace::After}), {image});
  int64_t channels = o.channels;
  for (int64_t i = 0; i < o.layers; ++i) {
    const bool reduces = i > 0 && (i == o.layers / 3 || i == 2 * o.layers / 3);
    const int64_t stride = reduces ? 2 : 1;
    channels *= stride;
    const auto unit = [&](int64_t kernel, ShuffleBranch branch) {
      return ops::shuffle_block(
          {.out = channels, .kernel = kernel, .stride = stride, .branch = branch});
    };
    x = b.layer_choice("block" + std::to_string(i),
                       {{"shuffle3", unit(3, ShuffleBranch::Plain)},
                        {"shuffle5", unit(5, ShuffleBranch::Plain)},
                        {"shuffle7", unit(7, ShuffleBranch::Plain)},
                        {"xception", unit(3, ShuffleBranch::Xception)}},
                       {x});
  }
  const Wire mean = b.add("mean", ops::global_mean(), {x});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {mean}));
  return b.finish();
}

}  // namespace retia
