#include <algorithm>

#include "retia/kernels/augment/augment_kernels.cuh"

namespace retia::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 1 << 20;

}  // namespace

template <class T>
void launch_augment(const uint8_t* images, const int32_t* draws, const T* levels, T* out,
                    const AugmentShape& shape, CUstream_st* stream) {
  const int64_t n_values = shape.n * shape.channels * shape.height * shape.width;
  const int64_t blocks = std::min(kMostBlocks, (n_values + kThreads - 1) / kThreads);
  launch(&augment_flat<T>, static_cast<unsigned>(blocks), kThreads, 0, stream, images, draws,
         levels, out, shape, n_values);
}

template void launch_augment(const uint8_t*, const int32_t*, const float*, float*,
                             const AugmentShape&, CUstream_st*);
template void launch_augment(const uint8_t*, const int32_t*, const double*, double*,
                             const AugmentShape&, CUstream_st*);

}  // namespace retia::kernels::cuda
