#pragma once

#include <cuda_runtime_api.h>

namespace retia::kernels::cuda {

/// Enqueues body(i) for i from 0 to n - 1, a thread each. Compiled for the bodies that some
/// _cuda.cu lists. Launch errors are left for cudaGetLastError.
template <class Body>
void launch_each(const Body& body, int n, cudaStream_t stream);

}  // namespace retia::kernels::cuda
