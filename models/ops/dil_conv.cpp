#include "retia/models/ops/dil_conv.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"

namespace retia {

Wire dil_conv_parts(Builder& b, Wire x, const DilConvOptions& o) {
  x = b.add("relu", ops::relu(), {x});
  x = b.add(
      "depthwise",
      ops::conv2d(
          {.kernel = o.kernel, .stride = o.stride, .dilation = o.dilation, .depthwise = true}),
      {x});
  x = b.add("pointwise", ops::conv2d({.kernel = 1}), {x});
  return b.add("bn", ops::batch_norm({.affine = o.affine}), {x});
}

ir::Operation ops::dil_conv(const DilConvOptions& options) {
  return composite<&dil_conv_parts>("dil_conv", options);
}

}  // namespace retia
