#pragma once

#include <cstddef>

#ifdef __CUDACC__
#include <cuda_runtime.h>
#else
#include "retia/kernels/cuda_host.h"
#endif

/// What kernel bodies and their launches take beyond the CUDA language, so that the same files are
/// compiled for the GPU by nvcc, and for the tests' host by the C++ compiler (cuda_host.h).
namespace retia::kernels::cuda {

/// The block's dynamic shared memory. Unset at first; a body that lays several arrays out in it
/// starts with those of the strictest alignment, at most 16 bytes.
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
/// for cudaGetLastError. On the host it has run when this returns, and the stream is ignored.
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
