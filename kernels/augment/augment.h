#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "retia/kernels/augment/augment_draws.h"

namespace retia::kernels {

/// Makes inputs of a network from stored images in one pass: shifts (the crop of a padded image),
/// mirrors, normalises, and cuts out a square, whose values become 0, the mean after normalisation.
///
/// images: [n, channels, height, width] uint8, read contiguously.
/// draws: [n, kAugmentDraws] int32.
/// levels: [channels, 256] float32 or float64, the normalised value of each pixel value.
/// cutout: side length of the square in pixels, 0 for none; it may stick out of the image. A square
/// of side s around centre c covers c - s/2 … c - s/2 + s - 1, with s/2 rounded down.
/// Returns [n, channels, height, width] in the dtype of levels, contiguous; not differentiable.
/// All on one device. Values are copied from levels, so every device gives the same bits.
/// The torch operator is `retia::augment`.
at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout);

/// Throws unless the arguments are as augment() says.
void check_augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout);

namespace reference {

/// Computes augment() by ATen operations, on any device.
at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout);

}  // namespace reference
}  // namespace retia::kernels
