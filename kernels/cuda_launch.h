#pragma once

#include <cstddef>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "retia/kernels/cuda_host.h"
#endif

/// Shared memory and launches of CUDA kernels in a form that both nvcc compiles for the GPU, and
/// the C++ compiler, for tests, for the host (cuda_host.h).
namespace retia::kernels::cuda {

/// Returns the dynamic shared memory of the block, uninitialised. A kernel with several arrays in
/// it puts those of the strictest alignment, at most 16 bytes, first.
template <class T>
__device__ T* dynamic_shared() {
#ifdef __CUDACC__
  extern __shared__ __align__(16) unsigned char memory[];
  return reinterpret_cast<T*>(memory);
#else
  return static_cast<T*>(host::dynamic_shared());
#endif
}

/// Enqueues kernel<<<blocks, threads, shared_bytes, stream>>>(arguments...). Launch errors are left
/// for cudaGetLastError. On the host, runs the kernel at once and ignores the stream.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 blocks, dim3 threads, size_t shared_bytes,
            CUstream_st* stream, const Arguments&... arguments) {
#ifdef __CUDACC__
  constexpr size_t kUnasked = 48 << 10;
  if (shared_bytes > kUnasked) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(shared_bytes));
  }
  kernel<<<blocks, threads, shared_bytes, stream>>>(arguments...);
#else
  static_cast<void>(stream);
  host::run_grid([&] { kernel(arguments...); }, blocks, threads, shared_bytes);
#endif
}

}  // namespace retia::kernels::cuda
