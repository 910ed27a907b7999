#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>

#include "retia/kernels/conv_norm/conv_norm_on_device.h"
#include "retia/kernels/conv_norm/conv_norm_passes.h"
#include "retia/kernels/on_gpu.h"

namespace retia::kernels {
namespace {

ConvNormForward forward(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                        at::TensorList running, const ConvNormOptions& o) {
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "conv_norm_cuda",
      [&] { return ConvNormPasses<OnGpu, scalar_t>(read, weights, affine, o).forward(running); });
}

ConvNormGradients backward(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor&,
                           at::TensorList weights, at::TensorList affine, const at::Tensor& kept,
                           const at::Tensor& moments, const ConvNormOptions& o,
                           ConvNormNeeds needs) {
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor behind = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "conv_norm_cuda_backward", [&] {
        return ConvNormPasses<OnGpu, scalar_t>(read, weights, affine, o)
            .backward(behind, kept, moments, needs);
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) { ConvNormOnDevice<&forward, &backward>::add_to(library); }

}  // namespace retia::kernels
