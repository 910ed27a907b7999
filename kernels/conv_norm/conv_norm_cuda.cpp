#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include "retia/kernels/conv_norm/conv_norm_passes.h"
#include "retia/kernels/on_gpu.h"

namespace retia::kernels {
namespace {

ConvNormForward forward(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                        at::TensorList running, int64_t kind, int64_t stride, int64_t dilation,
                        bool relu_before, bool relu_after, bool training, double epsilon,
                        std::string_view group) {
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
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "conv_norm_cuda", [&] {
        return ConvNormPasses<OnGpu, scalar_t>(read, weights, affine,
                                               conv_norm_operators::within(x, o))
            .forward(running);
      });
}

std::vector<at::Tensor> backward(const at::Tensor& gradient, const at::Tensor& x,
                                 const std::optional<at::Tensor>& out, at::TensorList weights,
                                 at::TensorList affine, const at::Tensor& kept,
                                 const at::Tensor& moments, int64_t kind, int64_t stride,
                                 int64_t dilation, bool relu_before, bool relu_after, bool training,
                                 std::string_view group, bool needs_x, bool needs_weights) {
  const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
  const ConvNormOptions o = {.kind = kind,
                             .stride = stride,
                             .dilation = dilation,
                             .relu_before = relu_before,
                             .relu_after = relu_after,
                             .training = training,
                             .ranks = ranks.get()};
  conv_norm_operators::check_backward(gradient, x, out, weights, affine, kept, moments, o);
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor behind = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "conv_norm_cuda_backward", [&] {
        return needed(ConvNormPasses<OnGpu, scalar_t>(read, weights, affine,
                                                      conv_norm_operators::within(x, o))
                          .backward(behind, kept, moments, {needs_x, needs_weights}));
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) {
  library.impl("conv_norm_forward", &forward);
  library.impl("conv_norm_backward", &backward);
}

}  // namespace retia::kernels
