#include "kernels/conv_norm/conv_norm_cuda.h"

#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <torch/library.h>

#include "kernels/conv_norm/conv_norm_passes.h"

namespace retia::kernels {
namespace {

template <class scalar_t>
struct StoredOnGpu {
  using type = scalar_t;
};
template <>
struct StoredOnGpu<at::Half> {
  using type = __half;
};
template <>
struct StoredOnGpu<at::BFloat16> {
  using type = __nv_bfloat16;
};

struct OnGpu {
  template <class scalar_t>
  using Stored = typename StoredOnGpu<scalar_t>::type;

  template <class Body>
  static void each(const Body& body, int64_t n) {
    cuda::launch(body, static_cast<int>(n), c10::cuda::getCurrentCUDAStream().stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

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
