#include "retia/models/ops/conv_bn.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"

namespace retia {

Wire conv_bn_parts(Builder& b, Wire x, const ConvBnOptions& o) {
  if (o.relu == ReluPlace::Before) {
    x = b.add("relu", ops::relu(), {x});
  }
  x = b.add("conv", ops::conv2d({.out = o.out, .kernel = o.kernel, .stride = o.stride}), {x});
  x = b.add("bn", ops::batch_norm({.affine = o.affine}), {x});
  return o.relu == ReluPlace::After ? b.add("relu", ops::relu(), {x}) : x;
}

Wire convolved(Builder& b, Wire x, const std::string& name, const Conv2dOptions& options) {
  return b.add(name + "_bn", ops::batch_norm(), {b.add(name, ops::conv2d(options), {x})});
}

ir::Operation ops::conv_bn(const ConvBnOptions& options) {
  return composite<&conv_bn_parts>("conv_bn", options);
}

}  // namespace retia
