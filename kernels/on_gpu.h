#pragma once

#include <ATen/core/Tensor.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "retia/kernels/each_on_gpu.h"

namespace retia::kernels {

/// The CUDA type of the numbers that LibTorch calls scalar_t.
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

/// The Runner of passes on a GPU: enqueues bodies on the current stream.
struct OnGpu {
  template <class scalar_t>
  using Stored = typename StoredOnGpu<scalar_t>::type;

  template <class Body>
  static void each(const Body& body, int64_t n) {
    cuda::launch_each(body, static_cast<int>(n), c10::cuda::getCurrentCUDAStream().stream());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

}  // namespace retia::kernels
