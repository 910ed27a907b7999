#include "retia/models/ops/mnas_layer.h"

#include <algorithm>

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/gate.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/conv_bn.h"

namespace retia {
namespace {

Wire with_relu(Builder& b, Wire x, const std::string& name, const Conv2dOptions& options) {
  return b.add(name + "_relu", ops::relu(), {convolved(b, x, name, options)});
}

/// Squeeze and excitation through `inside` channels.
Wire gated(Builder& b, Wire x, int64_t inside) {
  Wire gate = b.add("squeeze_mean", ops::global_mean(), {x});
  gate = b.add("squeeze", ops::linear({.out = inside}), {gate});
  gate = b.add("squeeze_relu", ops::relu(), {gate});
  gate = b.add("excite", ops::linear({.out = b.channels(x)}), {gate});
  gate = b.add("excite_sigmoid", ops::sigmoid(), {gate});
  return b.add("scaled", ops::scale(), {x, gate});
}

}  // namespace

Wire mnas_layer_parts(Builder& b, Wire x, const MnasLayerOptions& o) {
  TORCH_CHECK(o.expansion.min() >= 1 && o.se_ratio >= 0 && o.se_ratio <= 1,
              "expansion must be at least 1 and se_ratio in 0 to 1, got ", o.expansion.to_string(),
              " and ", o.se_ratio);
  const Dim in = b.channels(x);
  const Dim out = o.out.decided() && o.out.value() == 0 ? in : o.out;
  const bool keeps_shape = o.stride.value() == 1 && always_equal(out.expression(), in.expression());
  const bool plain = o.operation == MnasOperation::Conv;
  Wire changed = x;
  if (o.operation == MnasOperation::MbConv && o.expansion.max() > 1) {
    changed = with_relu(b, changed, "expand", {.out = in * o.expansion, .kernel = 1});
  }
  changed =
      plain ? with_relu(b, changed, "conv", {.out = out, .kernel = o.kernel, .stride = o.stride})
            : with_relu(b, changed, "depthwise",
                        {.kernel = o.kernel, .stride = o.stride, .depthwise = true});
  if (o.se_ratio > 0) {
    const auto inside = static_cast<int64_t>(static_cast<double>(in.value()) * o.se_ratio);
    changed = gated(b, changed, std::max<int64_t>(inside, 1));
  }
  if (!plain) {
    changed = convolved(b, changed, "project", {.out = out, .kernel = 1});
  }
  const bool skips = keeps_shape && o.skip == MnasSkip::Identity;
  return skips ? b.add("add", ops::add(), {x, changed}) : changed;
}

ir::Operation ops::mnas_layer(const MnasLayerOptions& options) {
  return composite<&mnas_layer_parts>("mnas_layer", options);
}

}  // namespace retia
