#include "retia/models/ops/shuffle_block.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/reshape.h"

namespace retia {
namespace {

Wire pointwise(Builder& b, Wire x, const std::string& name, const Dim& out) {
  x = b.add(name, ops::conv2d({.out = out, .kernel = 1}), {x});
  x = b.add(name + "_bn", ops::batch_norm(), {x});
  return b.add(name + "_relu", ops::relu(), {x});
}

Wire depthwise(Builder& b, Wire x, const std::string& name, const Dim& kernel, const Dim& stride) {
  x = b.add(name, ops::conv2d({.kernel = kernel, .stride = stride, .depthwise = true}), {x});
  return b.add(name + "_bn", ops::batch_norm(), {x});
}

/// The main branch: `width` channels inside, `out` at the end.
Wire main_branch(Builder& b, Wire x, const ShuffleBlockOptions& o, const Dim& width,
                 const Dim& out) {
  const auto scope = b.scope("main");
  if (o.branch == ShuffleBranch::Plain) {
    x = pointwise(b, x, "pointwise1", width);
    x = depthwise(b, x, "depthwise", o.kernel, o.stride);
    return pointwise(b, x, "pointwise2", out);
  }
  x = depthwise(b, x, "depthwise1", o.kernel, o.stride);
  x = pointwise(b, x, "pointwise1", width);
  x = depthwise(b, x, "depthwise2", o.kernel, 1);
  x = pointwise(b, x, "pointwise2", width);
  x = depthwise(b, x, "depthwise3", o.kernel, 1);
  return pointwise(b, x, "pointwise3", out);
}

}  // namespace

Wire shuffle_block_parts(Builder& b, Wire x, const ShuffleBlockOptions& o) {
  const int64_t stride = o.stride.value();
  TORCH_CHECK(stride == 1 || stride == 2, "stride must be 1 or 2, got ", stride);
  const Dim out = o.out.decided() && o.out.value() == 0 ? b.channels(x) : o.out;
  const Dim half = floor_div(out, 2);
  Wire side, changed;
  if (stride == 1) {
    side = b.add("keep", ops::split({.index = 0}), {x});
    const Wire rest = b.add("rest", ops::split({.index = 1}), {x});
    changed = main_branch(b, rest, o, half, out - b.channels(side));
  } else {
    const Dim aside = o.side.decided() && o.side.value() == 0 ? out - half : o.side;
    TORCH_CHECK(aside.min() >= 1 && (out - aside).min() >= 1, "side must be 1 to ", out.to_string(),
                " - 1 channels, got ", aside.to_string());
    changed = main_branch(b, x, o, half, out - aside);
    const auto scope = b.scope("side");
    side = pointwise(b, depthwise(b, x, "depthwise", o.kernel, o.stride), "pointwise", aside);
  }
  const Wire joined = b.add("concat", ops::concat(), {side, changed});
  return b.add("shuffle", ops::shuffle(), {joined});
}

ir::Operation ops::shuffle_block(const ShuffleBlockOptions& options) {
  return composite<&shuffle_block_parts>("shuffle_block", options);
}

}  // namespace retia
