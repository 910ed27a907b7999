#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace retia::kernels::cuda {

/// Sizes of one call of augment; all positive.
struct AugmentShape {
  int64_t n, channels, height, width, cutout;
};

/// Enqueues augment (see augment.h) of contiguous device arrays: T is float or double. Launch
/// errors are left for cudaGetLastError.
template <class T>
void launch_augment(const uint8_t* images, const int32_t* draws, const T* levels, T* out,
                    const AugmentShape& shape, cudaStream_t stream);

}  // namespace retia::kernels::cuda
