#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include "retia/kernels/mixed_op/mixed_op_passes.h"
#include "retia/kernels/on_gpu.h"

namespace retia::kernels {
namespace {

std::tuple<std::vector<at::Tensor>, at::Tensor, at::Tensor> forward(
    const at::Tensor& x, const at::Tensor& blend, at::TensorList weights, at::TensorList running,
    at::TensorList sums, at::IntArrayRef branches, at::IntArrayRef edges, at::IntArrayRef summed,
    at::IntArrayRef options, double momentum, double epsilon) {
  const MixedOpOptions o = mixed_op_options(branches, edges, summed, options, momentum, epsilon);
  std::vector<at::Tensor> read;
  for (const at::Tensor& sum : sums) {
    read.push_back(sum.contiguous(at::MemoryFormat::ChannelsLast));
  }
  const c10::cuda::CUDAGuard guard(x.device());
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "mixed_op_cuda",
      [&] { return MixedOpPasses<OnGpu, scalar_t>(x, blend, weights, o).forward(running, read); });
}

std::tuple<at::Tensor, at::Tensor, std::vector<at::Tensor>> backward(
    at::TensorList gradients, const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
    const at::Tensor& kept, const at::Tensor& moments, at::IntArrayRef branches,
    at::IntArrayRef edges, at::IntArrayRef options, bool needs_x, bool needs_weights) {
  const MixedOpOptions o = mixed_op_options(branches, edges, {}, options, 0, 0);
  const c10::cuda::CUDAGuard guard(x.device());
  std::vector<at::Tensor> read;
  for (const at::Tensor& gradient : gradients) {
    read.push_back(gradient.contiguous(at::MemoryFormat::ChannelsLast));
  }
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "mixed_op_cuda_backward", [&] {
        return MixedOpPasses<OnGpu, scalar_t>(x, blend, weights, o)
            .backward(read, kept, moments, {needs_x, needs_weights});
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) {
  library.impl("mixed_ops_forward", &forward);
  library.impl("mixed_ops_backward", &backward);
}

}  // namespace retia::kernels
