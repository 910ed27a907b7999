#include "retia/engine/operations/stacked.h"

#include <set>

#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/grouped_linear.h"
#include "retia/engine/operations/linear.h"

namespace retia {
namespace {

/// The operations that treat every channel separately and alike.
const std::set<std::string>& types_of_single_channels() {
  static const std::set<std::string> types = {"add",         "avg_pool2d", "batch_norm", "flatten",
                                              "global_mean", "identity",   "max_pool2d", "mean",
                                              "relu",        "relu6",      "scale",      "shift",
                                              "sigmoid",     "silu",       "tanh",       "zero"};
  return types;
}

Dim channels_out(const Conv2dOptions& o, const Shape& input) {
  return o.out.value() == 0 ? input[0] : o.out;
}

}  // namespace

std::optional<ir::Operation> stacked(const ir::Operation& one, const std::vector<Shape>& inputs,
                                     int64_t n) {
  if (one.type() == "conv2d") {
    auto o = one.parameters().get<Conv2dOptions>();
    o.out = channels_out(o, inputs.front()) * n;
    o.groups = o.groups * n;
    return ops::conv2d(o);
  }
  if (one.type() == "linear") {
    const auto o = one.parameters().get<LinearOptions>();
    return ops::grouped_linear({.out = o.out * n, .groups = n, .bias = o.bias});
  }
  if (types_of_single_channels().count(one.type()) != 0) {
    return one;
  }
  return std::nullopt;
}

std::optional<ir::Operation> widened(const ir::Operation& one, const std::vector<Shape>& inputs,
                                     int64_t n) {
  if (one.type() == "conv2d") {
    auto o = one.parameters().get<Conv2dOptions>();
    if (o.depthwise.value() || o.groups.value() != 1) {
      return std::nullopt;
    }
    o.out = channels_out(o, inputs.front()) * n;
    return ops::conv2d(o);
  }
  if (one.type() == "linear") {
    auto o = one.parameters().get<LinearOptions>();
    o.out = o.out * n;
    return ops::linear(o);
  }
  return std::nullopt;
}

}  // namespace retia
