#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>

#include "retia/kernels/mixed_op/mixed_op_on_device.h"
#include "retia/kernels/mixed_op/mixed_op_passes_backward.h"
#include "retia/kernels/mixed_op/mixed_op_passes_forward.h"
#include "retia/kernels/on_gpu.h"

namespace retia::kernels {
namespace {

std::vector<at::Tensor> in_channels_last(at::TensorList tensors) {
  std::vector<at::Tensor> read;
  for (const at::Tensor& tensor : tensors) {
    read.push_back(tensor.contiguous(at::MemoryFormat::ChannelsLast));
  }
  return read;
}

MixedOpsForward forward(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                        at::TensorList running, at::TensorList sums, const MixedOpOptions& o) {
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "mixed_op_cuda", [&] {
        return MixedOpForwardPasses<OnGpu, scalar_t>(read, blend, weights, o)
            .run(running, in_channels_last(sums));
      });
}

MixedOpsGradients backward(at::TensorList gradients, const at::Tensor& x, const at::Tensor& blend,
                           at::TensorList weights, const at::Tensor& kept,
                           const at::Tensor& moments, const MixedOpOptions& o, MixedOpNeeds needs) {
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "mixed_op_cuda_backward", [&] {
        return MixedOpBackwardPasses<OnGpu, scalar_t>(read, blend, weights, o)
            .run(in_channels_last(gradients), kept, moments, needs);
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) { MixedOpsOnDevice<&forward, &backward>::add_to(library); }

}  // namespace retia::kernels
