#pragma once

#include <cstdint>

#include "retia/kernels/augment/augment_cuda.h"
#include "retia/kernels/augment/augment_draws.h"
#include "retia/kernels/cuda_launch.h"

namespace retia::kernels::cuda {

/// Computes augment(), one output value per thread and step. Indices within an image have 32 bits,
/// because divisions take most of the time.
template <class T>
__global__ void augment_flat(const uint8_t* __restrict__ images, const int32_t* __restrict__ draws,
                             const T* __restrict__ levels, T* __restrict__ out, AugmentShape shape,
                             int64_t n_values) {
  const int width = static_cast<int>(shape.width);
  const int height = static_cast<int>(shape.height);
  const int channels = static_cast<int>(shape.channels);
  const int64_t image_size = shape.channels * shape.height * shape.width;
  const int64_t step = int64_t{blockDim.x} * gridDim.x;
  for (int64_t i = int64_t{blockDim.x} * blockIdx.x + threadIdx.x; i < n_values; i += step) {
    const int64_t image = i / image_size;
    const int within = static_cast<int>(i - image * image_size);
    const int x = within % width;
    const int y = within / width % height;
    const int channel = within / (width * height) % channels;
    const int32_t* const draw = draws + image * kAugmentDraws;
    const int64_t cut_y = int64_t{y} - draw[kCutoutRow] + shape.cutout / 2;
    const int64_t cut_x = int64_t{x} - draw[kCutoutColumn] + shape.cutout / 2;
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

}  // namespace retia::kernels::cuda
