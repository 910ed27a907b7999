#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include "retia/kernels/mixed_op/mixed_op_passes.h"
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
                        at::TensorList running, at::TensorList sums, at::IntArrayRef branches,
                        at::IntArrayRef edges, at::IntArrayRef summed, int64_t stride,
                        bool training, double epsilon, std::string_view group) {
  const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
  const MixedOpOptions o = {.branches = branches.vec(),
                            .edges = edges.vec(),
                            .summed = summed.vec(),
                            .stride = stride,
                            .training = training,
                            .epsilon = epsilon,
                            .ranks = ranks.get()};
  check_mixed_ops(x, blend, weights, running, sums, o, group);
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "mixed_op_cuda", [&] {
        return MixedOpPasses<OnGpu, scalar_t>(read, blend, weights, o)
            .forward(running, in_channels_last(sums));
      });
}

std::vector<at::Tensor> backward(at::TensorList gradients, const at::Tensor& x,
                                 const at::Tensor& blend, at::TensorList weights,
                                 const at::Tensor& kept, const at::Tensor& moments,
                                 at::IntArrayRef branches, at::IntArrayRef edges, int64_t stride,
                                 bool training, std::string_view group, bool needs_x,
                                 bool needs_weights) {
  const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
  const MixedOpOptions o = {.branches = branches.vec(),
                            .edges = edges.vec(),
                            .stride = stride,
                            .training = training,
                            .ranks = ranks.get()};
  mixed_op_operators::check_backward(gradients, x, blend, weights, kept, moments, o);
  const c10::cuda::CUDAGuard guard(x.device());
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, x.scalar_type(), "mixed_op_cuda_backward", [&] {
        return mixed_op_operators::needed(
            MixedOpPasses<OnGpu, scalar_t>(read, blend, weights, o)
                .backward(in_channels_last(gradients), kept, moments, {needs_x, needs_weights}));
      });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) {
  library.impl("mixed_ops_forward", &forward);
  library.impl("mixed_ops_backward", &backward);
}

}  // namespace retia::kernels
