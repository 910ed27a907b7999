#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "retia/kernels/each_on_gpu.h"

namespace retia::kernels::cuda {

/// The number of threads of a block.
constexpr int kThreadsOfEach = 256;

/// Runs body(i) in thread i of the grid, for i below n.
template <class Body>
__global__ void __launch_bounds__(kThreadsOfEach) each(Body body, int n) {
  const int64_t i = int64_t{kThreadsOfEach} * blockIdx.x + threadIdx.x;
  if (i < n) {
    body(static_cast<int>(i));
  }
}

template <class Body>
void launch_each(const Body& body, int n, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((int64_t{n} + kThreadsOfEach - 1) / kThreadsOfEach);
  each<<<blocks, kThreadsOfEach, 0, stream>>>(body, n);
}

}  // namespace retia::kernels::cuda

/// Compiles launch_each() for one body, or for a body over each dtype that tensors are stored in,
/// or that sums are computed in.
#define RETIA_EACH(Body) template void launch_each(const Body&, int, cudaStream_t);
#define RETIA_EACH_STORED(Body) \
  RETIA_EACH(Body<float>)       \
  RETIA_EACH(Body<double>)      \
  RETIA_EACH(Body<__half>)      \
  RETIA_EACH(Body<__nv_bfloat16>)
#define RETIA_EACH_SUMMED(Body) \
  RETIA_EACH(Body<float>)       \
  RETIA_EACH(Body<double>)
