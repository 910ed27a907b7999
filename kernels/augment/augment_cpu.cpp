#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>

#include "retia/kernels/augment/augment.h"
#include "retia/kernels/parallel.h"

namespace retia::kernels {
namespace {

constexpr int64_t kPixelsPerTask = 1 << 15;

/// One channel of one image; the branches are per row, the loops over columns have none.
template <class T>
void augment_plane(const uint8_t* pixels, const int32_t* draw, const T* levels, T* out,
                   int64_t height, int64_t width, int64_t cutout) {
  // Columns of the unmirrored output that show a column of the image.
  const int64_t shift = draw[kShiftRight];
  const int64_t shown_from = std::clamp<int64_t>(-shift, 0, width);
  const int64_t shown_to = std::clamp<int64_t>(width - shift, shown_from, width);
  const bool mirrored = draw[kMirror] != 0;
  const int64_t from = mirrored ? width - shown_to : shown_from;
  const int64_t to = mirrored ? width - shown_from : shown_to;

  const int64_t cut_top = draw[kCutoutRow] - cutout / 2;
  const int64_t cut_left = draw[kCutoutColumn] - cutout / 2;
  const int64_t cut_from = std::clamp<int64_t>(cut_left, 0, width);
  const int64_t cut_to = std::clamp<int64_t>(cut_left + cutout, 0, width);

  for (int64_t y = 0; y < height; ++y, out += width) {
    const int64_t row = y + draw[kShiftDown];
    if (row < 0 || row >= height) {
      std::fill(out, out + width, levels[0]);
    } else {
      std::fill(out, out + from, levels[0]);
      std::fill(out + to, out + width, levels[0]);
      const uint8_t* const line = pixels + row * width;
      if (mirrored) {
#pragma GCC unroll 8
        for (int64_t x = from; x < to; ++x) {
          out[x] = levels[line[width - 1 - x + shift]];
        }
      } else {
#pragma GCC unroll 8
        for (int64_t x = from; x < to; ++x) {
          out[x] = levels[line[x + shift]];
        }
      }
    }
    if (y >= cut_top && y < cut_top + cutout) {
      std::fill(out + cut_from, out + cut_to, T(0));
    }
  }
}

at::Tensor augment_cpu(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                       int64_t cutout) {
  check_augment(images, draws, levels, cutout);
  const at::Tensor pixels = images.contiguous();
  const at::Tensor table = draws.contiguous();
  const at::Tensor values = levels.contiguous();
  const int64_t channels = images.size(1);
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  const int64_t plane = height * width;
  at::Tensor out = at::empty(images.sizes(), levels.options());
  if (out.numel() == 0) {
    return out;
  }
  AT_DISPATCH_FLOATING_TYPES(levels.scalar_type(), "augment_cpu", [&] {
    const auto* const pixel = pixels.const_data_ptr<uint8_t>();
    const auto* const draw = table.const_data_ptr<int32_t>();
    const auto* const value = values.const_data_ptr<scalar_t>();
    auto* const result = out.mutable_data_ptr<scalar_t>();
    const int64_t n_planes = images.size(0) * channels;
    const int64_t n_tasks = std::clamp<int64_t>(n_planes * plane / kPixelsPerTask, 1, n_planes);
    parallel_for(n_tasks, [&](Tasks& tasks) {
      for (const int64_t task : tasks) {
        for (int64_t i = n_planes * task / n_tasks; i < n_planes * (task + 1) / n_tasks; ++i) {
          augment_plane(pixel + i * plane, draw + i / channels * kAugmentDraws,
                        value + i % channels * 256, result + i * plane, height, width, cutout);
        }
      }
    });
  });
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CPU, library) { library.impl("augment", &augment_cpu); }

}  // namespace retia::kernels
