#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "retia/kernels/conv_norm/conv_norm.h"

namespace retia::kernels::reference {
namespace {

at::Tensor convolved(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& o) {
  const auto conv = [&](int64_t groups) {
    const int64_t padding = weights[0].size(2) / 2 * o.dilation;
    return at::conv2d(x, weights[0], {}, o.stride, padding, o.dilation, groups);
  };
  switch (static_cast<ConvKind>(o.kind)) {
    case ConvKind::None:
      return x;
    case ConvKind::Dense:
      return conv(1);
    case ConvKind::Depthwise:
      return conv(x.size(1));
    case ConvKind::Separable:
      return at::conv2d(conv(x.size(1)), weights[1]);
    case ConvKind::Halving: {
      const at::Tensor shifted = at::constant_pad_nd(x, {-1, x.size(3) % 2, -1, x.size(2) % 2}, 0);
      return at::cat({at::conv2d(x, weights[0], {}, 2), at::conv2d(shifted, weights[1], {}, 2)}, 1);
    }
    case ConvKind::MaxPool3:
      return at::max_pool2d(x, 3, o.stride, 1);
    case ConvKind::AveragePool3:
      return at::avg_pool2d(x, 3, o.stride, 1, false, false);
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace

at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& o) {
  const auto of = [](at::TensorList list, size_t i) {
    return list.empty() ? at::Tensor() : list[i];
  };
  const at::Tensor y = at::batch_norm(convolved(o.relu_before ? at::relu(x) : x, weights, o),
                                      of(affine, 0), of(affine, 1), of(running, 0), of(running, 1),
                                      o.training, o.momentum, o.epsilon, true);
  return o.relu_after ? at::relu(y) : y;
}

}  // namespace retia::kernels::reference
