#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/where.h>

#include "retia/kernels/augment/augment.h"

namespace retia::kernels::reference {

at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout) {
  check_augment(images, draws, levels, cutout);
  const int64_t n = images.size(0);
  const int64_t channels = images.size(1);
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  if (images.numel() == 0) {
    return at::empty_like(images, levels.options(), at::MemoryFormat::Contiguous);
  }
  const at::Tensor wide = draws.to(at::kLong);
  const auto draw = [&](AugmentDraw column) { return wide.select(1, column).view({n, 1, 1}); };
  const at::Tensor rows = at::arange(height, wide.options()).view({1, height, 1});
  const at::Tensor columns = at::arange(width, wide.options()).view({1, 1, width});

  const at::Tensor row = rows + draw(kShiftDown);
  const at::Tensor column =
      at::where(draw(kMirror) != 0, width - 1 - columns, columns) + draw(kShiftRight);
  const at::Tensor inside = (row >= 0) & (row < height) & (column >= 0) & (column < width);
  const at::Tensor source = row.clamp(0, height - 1) * width + column.clamp(0, width - 1);
  const at::Tensor pixels =
      images.reshape({n, channels, height * width})
          .gather(2, source.view({n, 1, height * width}).expand({n, channels, height * width}))
          .view({n, channels, height, width})
          .masked_fill(inside.logical_not().unsqueeze(1), 0);

  const at::Tensor first_level = at::arange(channels, wide.options()).view({channels, 1, 1}) * 256;
  const at::Tensor values = levels.take(pixels.to(at::kLong) + first_level);
  const at::Tensor top = draw(kCutoutRow) - cutout / 2;
  const at::Tensor left = draw(kCutoutColumn) - cutout / 2;
  const at::Tensor cut =
      (rows >= top) & (rows < top + cutout) & (columns >= left) & (columns < left + cutout);
  return values.masked_fill(cut.unsqueeze(1), 0);
}

}  // namespace retia::kernels::reference
