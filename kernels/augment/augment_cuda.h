#pragma once

#include <cstdint>

struct CUstream_st;  // what a cudaStream_t points to

namespace retia::kernels::cuda {

/// The sizes of one call of augment(); all are positive but cutout, which may be 0.
struct AugmentShape {
  int64_t n, channels, height, width, cutout;
};

/// Enqueues augment() of contiguous arrays on the device. T is float or double. Launch errors are
/// left for cudaGetLastError.
template <class T>
void launch_augment(const uint8_t* images, const int32_t* draws, const T* levels, T* out,
                    const AugmentShape& shape, CUstream_st* stream);

}  // namespace retia::kernels::cuda
