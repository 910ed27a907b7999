#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "trainers/data/dataset.h"

namespace retia {

/// Which random draws a sample's key gives: stream s draws from Random(mix({key, s})), so that no
/// option changes what another draws. Streams from 16 on are free for others, as for drop path.
enum class SampleStream : uint64_t { ShiftDown, ShiftRight, Mirror, CutoutRow, CutoutColumn };

enum class Flip { None, Horizontal };
NLOHMANN_JSON_SERIALIZE_ENUM(Flip, {{Flip::None, "none"}, {Flip::Horizontal, "horizontal"}})

/// What happens to an image at random, in this order; tables take none of it.
struct AugmentOptions {
  int64_t crop_padding = 0;  ///< black pixels added on each side, before a crop of the first size
  Flip flip = Flip::None;    ///< horizontal: mirrors half of the images
  int64_t cutout = 0;  ///< side in pixels of a square set to the mean; its centre is in the image
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AugmentOptions, crop_padding, flip, cutout)

/// Throws where a number of pixels is negative or above 65536.
void check_augment_options(const AugmentOptions& options);

/// The table of draws that kernels::augment takes, int32 [keys, 5] on the CPU: row i is a function
/// of keys[i], the options and the image's size only.
at::Tensor draw_augmentations(const std::vector<uint64_t>& keys, const AugmentOptions& options,
                              int64_t height, int64_t width);

/// The normalised value of every pixel value, [channels, 256] in `dtype` on the CPU:
/// (v / 255 - mean) / std, computed in double.
at::Tensor pixel_levels(const Dataset& images, at::ScalarType dtype);

}  // namespace retia
