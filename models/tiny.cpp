#include "retia/models/tiny.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/sep_conv.h"

namespace retia {

ir::Graph tiny(const TinyOptions& o, const Task& task) {
  check_declared(o, "space 'tiny'");
  Builder b("tiny");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  const Wire stem = b.add("stem", ops::conv_bn({.out = o.channels}), {image});
  const Wire body = b.layer_choice("body",
                                   {{"conv3x3", ops::sep_conv({.kernel = 3})},
                                    {"conv5x5", ops::sep_conv({.kernel = 5})},
                                    {"skip", ops::identity()}},
                                   {stem});
  const Wire mixed = b.input_choice("skip", {stem, body});
  Wire x = b.add("mean", ops::global_mean(), {mixed});
  if (o.width_choice) {
    x = b.add("hidden", ops::linear({.out = ValueChoice<int64_t>("width", {16, 32, 64})}), {x});
    x = b.add("relu", ops::relu(), {x});
  }
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {x}));
  return b.finish();
}

}  // namespace retia
