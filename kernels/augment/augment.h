#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "retia/kernels/augment/augment_draws.h"

namespace retia::kernels {

/// Stored pixels to what a network takes, in one pass: shift (the crop of a padded image), mirror,
/// normalise, cut out a square (its values are 0 after normalisation, that is the mean).
///
/// images: [n, channels, height, width] uint8, read contiguously.
/// draws: [n, kAugmentDraws] int32.
/// levels: [channels, 256] float32 or float64, the normalised value of each pixel value.
/// cutout: side length of the square in pixels, 0 for none; it may stick out of the image. Of a
/// side s around a centre c, c - s/2 … c - s/2 + s - 1 (rounded down) are cut out.
/// Returns [n, channels, height, width] in the dtype of levels, contiguous; not differentiable.
/// All on one device. Values are copied from levels, so every device gives the same bits.
/// The torch operator is `retia::augment`.
at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout);

/// Throws unless the arguments are as augment() says.
void check_augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout);

namespace reference {

/// The same by ATen operations, on any device.
at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout);

}  // namespace reference
}  // namespace retia::kernels
