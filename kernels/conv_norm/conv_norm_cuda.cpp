#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include "retia/kernels/conv_norm/conv_norm_passes.h"
#include "retia/kernels/on_gpu.h"

namespace retia::kernels {
namespace {

std::tuple<at::Tensor, at::Tensor, at::Tensor> forward(const at::Tensor& x, at::TensorList weights,
                                                       at::TensorList affine,
                                                       at::TensorList running,
                                                       at::IntArrayRef options, double momentum,
                                                       double epsilon) {
  const ConvNormOptions o = conv_norm_options(options, momentum, epsilon);
  check_conv_norm(x, weights, affine, running, o);
  const c10::cuda::CUDAGuard guard(x.device());
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "conv_norm_cuda",
      [&] { return ConvNormPasses<OnGpu, scalar_t>(x, weights, affine, o).forward(running); });
}

std::vector<at::Tensor> backward(const at::Tensor& gradient, const at::Tensor& x,
                                 at::TensorList weights, at::TensorList affine,
                                 const at::Tensor& kept, const at::Tensor& norm,
                                 at::IntArrayRef options, bool needs_x, bool needs_weights) {
  const ConvNormOptions o = conv_norm_options(options, 0, 0);
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "conv_norm_cuda_backward", [&] {
        return listed(ConvNormPasses<OnGpu, scalar_t>(x, weights, affine, o)
                          .backward(read, kept, norm, {needs_x, needs_weights}));
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) {
  library.impl("conv_norm_forward", &forward);
  library.impl("conv_norm_backward", &backward);
}

}  // namespace retia::kernels
