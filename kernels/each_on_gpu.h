#pragma once

#include <cuda_runtime_api.h>

namespace retia::kernels::cuda {

/// Enqueues body(i) for i from 0 to n - 1, one thread per i. Compiled for the bodies that a
/// _cuda.cu file lists by RETIA_EACH. Launch errors are left for cudaGetLastError.
template <class Body>
void launch_each(const Body& body, int n, cudaStream_t stream);

}  // namespace retia::kernels::cuda
