#pragma once

#include <torch/library.h>

#include "retia/kernels/conv_norm/conv_norm.h"

namespace retia::kernels {

/// The operators of conv_norm_operators on one device: checks of the arguments, followed by the
/// device's functions, which take options and have the signatures of cpu::conv_norm_forward() and
/// cpu::conv_norm_backward().
template <auto kForward, auto kBackward>
struct ConvNormOnDevice {
  static ConvNormForward forward(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                                 at::TensorList running, int64_t kind, int64_t stride,
                                 int64_t dilation, bool relu_before, bool relu_after, bool training,
                                 double epsilon, std::string_view group) {
    const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
    const ConvNormOptions o = {.kind = kind,
                               .stride = stride,
                               .dilation = dilation,
                               .relu_before = relu_before,
                               .relu_after = relu_after,
                               .training = training,
                               .epsilon = epsilon,
                               .ranks = ranks.get()};
    check_conv_norm(x, weights, affine, running, o, group);
    return kForward(x, weights, affine, running, conv_norm_operators::within(x, o));
  }

  static std::vector<at::Tensor> backward(
      const at::Tensor& gradient, const at::Tensor& x, const std::optional<at::Tensor>& out,
      at::TensorList weights, at::TensorList affine, const at::Tensor& kept,
      const at::Tensor& moments, int64_t kind, int64_t stride, int64_t dilation, bool relu_before,
      bool relu_after, bool training, std::string_view group, bool needs_x, bool needs_weights) {
    const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
    const ConvNormOptions o = {.kind = kind,
                               .stride = stride,
                               .dilation = dilation,
                               .relu_before = relu_before,
                               .relu_after = relu_after,
                               .training = training,
                               .ranks = ranks.get()};
    conv_norm_operators::check_backward(gradient, x, out, weights, affine, kept, moments, o);
    return needed(kBackward(gradient, x, out.value_or(at::Tensor()), weights, affine, kept, moments,
                            conv_norm_operators::within(x, o), {needs_x, needs_weights}));
  }

  /// Registers both for the device of `library`.
  static void add_to(torch::Library& library) {
    library.impl("conv_norm_forward", &forward);
    library.impl("conv_norm_backward", &backward);
  }
};

}  // namespace retia::kernels
