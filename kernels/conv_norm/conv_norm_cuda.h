#pragma once

#include <cuda_runtime_api.h>

#include "kernels/conv_norm/conv_norm_kernels.cuh"

namespace retia::kernels::cuda {

/// Enqueues body(i) for i from 0 to n - 1; for the bodies of conv_norm_kernels.cuh stored in float,
/// double, __half and __nv_bfloat16. Launch errors are left for cudaGetLastError.
template <class Body>
void launch(const Body& body, int n, cudaStream_t stream);

}  // namespace retia::kernels::cuda
