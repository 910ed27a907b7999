#include "retia/models/ops/enas_layer.h"

#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/pool.h"

namespace retia {
namespace {

Wire operation_parts(Builder& b, Wire x, const EnasLayerOptions& o) {
  switch (o.operation) {
    case EnasOperation::Conv:
      return b.add("conv", ops::conv2d({.kernel = o.kernel}), {x});
    case EnasOperation::SepConv:
      x = b.add("depthwise", ops::conv2d({.kernel = o.kernel, .depthwise = true}), {x});
      return b.add("pointwise", ops::conv2d({.kernel = 1}), {x});
    case EnasOperation::Average:
      return b.add("pool", ops::avg_pool2d({.kernel = o.kernel}), {x});
    case EnasOperation::Max:
      return b.add("pool", ops::max_pool2d({.kernel = o.kernel}), {x});
  }
  return x;
}

}  // namespace

Wire enas_layer_parts(Builder& b, Wire x, const EnasLayerOptions& o) {
  x = b.add("relu1", ops::relu(), {x});
  x = b.add("squeeze", ops::conv2d({.kernel = 1}), {x});
  x = b.add("bn1", ops::batch_norm(), {x});
  x = b.add("relu2", ops::relu(), {x});
  return b.add("bn2", ops::batch_norm(), {operation_parts(b, x, o)});
}

ir::Operation ops::enas_layer(const EnasLayerOptions& options) {
  return composite<&enas_layer_parts>("enas_layer", options);
}

}  // namespace retia
