#include <algorithm>

#include "kernels/augment/augment_cuda.h"
#include "kernels/augment/augment_draws.h"

namespace retia::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 1 << 20;

/// One output value a thread and turn. 32-bit indices inside an image: the divisions are the cost.
template <class T>
__global__ void augment_flat(const uint8_t* __restrict__ images, const int32_t* __restrict__ draws,
                             const T* __restrict__ levels, T* __restrict__ out, AugmentShape shape,
                             int64_t n_values) {
  const int width = static_cast<int>(shape.width);
  const int height = static_cast<int>(shape.height);
  const int channels = static_cast<int>(shape.channels);
  const int64_t image_size = shape.channels * shape.height * shape.width;
  const int64_t step = int64_t{kThreads} * gridDim.x;
  for (int64_t i = int64_t{kThreads} * blockIdx.x + threadIdx.x; i < n_values; i += step) {
    const int64_t image = i / image_size;
    const int within = static_cast<int>(i - image * image_size);
    const int x = within % width;
    const int y = within / width % height;
    const int channel = within / (width * height) % channels;
    const int32_t* const draw = draws + image * kAugmentDraws;
    const int64_t cut_y = y - draw[kCutoutRow] + shape.cutout / 2;
    const int64_t cut_x = x - draw[kCutoutColumn] + shape.cutout / 2;
    if (cut_y >= 0 && cut_y < shape.cutout && cut_x >= 0 && cut_x < shape.cutout) {
      out[i] = T(0);
      continue;
    }
    const int64_t row = y + int64_t{draw[kShiftDown]};
    const int64_t column = (draw[kMirror] != 0 ? width - 1 - x : x) + int64_t{draw[kShiftRight]};
    const bool inside = row >= 0 && row < height && column >= 0 && column < width;
    const int64_t plane = image * channels + channel;
    const int pixel = inside ? images[(plane * height + row) * width + column] : 0;
    out[i] = levels[channel * 256 + pixel];
  }
}

}  // namespace

template <class T>
void launch_augment(const uint8_t* images, const int32_t* draws, const T* levels, T* out,
                    const AugmentShape& shape, cudaStream_t stream) {
  const int64_t n_values = shape.n * shape.channels * shape.height * shape.width;
  const int64_t blocks = std::min(kMostBlocks, (n_values + kThreads - 1) / kThreads);
  augment_flat<T><<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(images, draws, levels,
                                                                          out, shape, n_values);
}

template void launch_augment(const uint8_t*, const int32_t*, const float*, float*,
                             const AugmentShape&, cudaStream_t);
template void launch_augment(const uint8_t*, const int32_t*, const double*, double*,
                             const AugmentShape&, cudaStream_t);

}  // namespace retia::kernels::cuda
