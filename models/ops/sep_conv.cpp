#include "retia/models/ops/sep_conv.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"

namespace retia {

Wire sep_conv_parts(Builder& b, Wire x, const SepConvOptions& o) {
  for (const std::string i : {"1", "2"}) {
    const Dim stride = i == "1" ? o.stride : Dim(1);
    x = b.add("relu" + i, ops::relu(), {x});
    x = b.add("depthwise" + i,
              ops::conv2d({.kernel = o.kernel, .stride = stride, .depthwise = true}), {x});
    x = b.add("pointwise" + i, ops::conv2d({.kernel = 1}), {x});
    x = b.add("bn" + i, ops::batch_norm({.affine = o.affine}), {x});
  }
  return x;
}

ir::Operation ops::sep_conv(const SepConvOptions& options) {
  return composite<&sep_conv_parts>("sep_conv", options);
}

}  // namespace retia
