#include "retia/models/ops/mb_conv.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/models/ops/conv_bn.h"

namespace retia {
namespace {

Wire with_relu6(Builder& b, Wire x, const std::string& name, const Conv2dOptions& options) {
  return b.add(name + "_relu", ops::relu6(), {convolved(b, x, name, options)});
}

}  // namespace

Wire mb_conv_parts(Builder& b, Wire x, const MbConvOptions& o) {
  const Dim in = b.channels(x);
  const Dim out = o.out.decided() && o.out.value() == 0 ? in : o.out;
  const bool keeps_shape = o.stride.value() == 1 && always_equal(out.expression(), in.expression());
  TORCH_CHECK(o.expansion.min() >= 1, "expansion must be at least 1, got ",
              o.expansion.to_string());
  Wire changed = x;
  if (o.expansion.max() > 1) {
    changed = with_relu6(b, changed, "expand", {.out = in * o.expansion, .kernel = 1});
  }
  changed = with_relu6(b, changed, "depthwise",
                       {.kernel = o.kernel, .stride = o.stride, .depthwise = true});
  changed = convolved(b, changed, "project", {.out = out, .kernel = 1});
  return keeps_shape ? b.add("add", ops::add(), {x, changed}) : changed;
}

ir::Operation ops::mb_conv(const MbConvOptions& options) {
  return composite<&mb_conv_parts>("mb_conv", options);
}

}  // namespace retia
