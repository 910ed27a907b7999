#include "retia/trainers/data/augmentation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "retia/engine/base/random.h"
#include "retia/kernels/augment/augment_draws.h"

namespace retia {
namespace {

constexpr int64_t kMostPixels = 1 << 16;

int32_t draw_below(uint64_t key, SampleStream stream, int64_t n) {
  return static_cast<int32_t>(Random(mix({key, static_cast<uint64_t>(stream)})).below(n));
}

}  // namespace

void check_augment_options(const AugmentOptions& options) {
  TORCH_CHECK(0 <= options.crop_padding && options.crop_padding <= kMostPixels,
              "crop_padding must be 0 … ", kMostPixels, " pixels, but is ", options.crop_padding);
  TORCH_CHECK(0 <= options.cutout && options.cutout <= kMostPixels, "cutout must be 0 … ",
              kMostPixels, " pixels, but is ", options.cutout);
}

at::Tensor draw_augmentations(const std::vector<uint64_t>& keys, const AugmentOptions& options,
                              int64_t height, int64_t width) {
  const auto n = static_cast<int64_t>(keys.size());
  at::Tensor table = at::zeros({n, kernels::kAugmentDraws}, at::kInt);
  const int64_t n_shifts = 2 * options.crop_padding + 1;
  auto* row = table.mutable_data_ptr<int32_t>();
  for (const uint64_t key : keys) {
    if (options.crop_padding > 0) {
      const auto padding = static_cast<int32_t>(options.crop_padding);
      row[kernels::kShiftDown] = draw_below(key, SampleStream::ShiftDown, n_shifts) - padding;
      row[kernels::kShiftRight] = draw_below(key, SampleStream::ShiftRight, n_shifts) - padding;
    }
    if (options.flip == Flip::Horizontal) {
      row[kernels::kMirror] = draw_below(key, SampleStream::Mirror, 2);
    }
    if (options.cutout > 0) {
      row[kernels::kCutoutRow] = draw_below(key, SampleStream::CutoutRow, height);
      row[kernels::kCutoutColumn] = draw_below(key, SampleStream::CutoutColumn, width);
    }
    row += kernels::kAugmentDraws;
  }
  return table;
}

at::Tensor pixel_levels(const Dataset& images, at::ScalarType dtype) {
  const at::Tensor mean = at::tensor(images.mean, at::kDouble).unsqueeze(1);
  const at::Tensor std = at::tensor(images.std, at::kDouble).unsqueeze(1);
  return ((at::arange(256, at::kDouble) / 255 - mean) / std).to(dtype);
}

}  // namespace retia
