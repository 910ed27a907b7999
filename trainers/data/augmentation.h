#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "retia/engine/io/option.h"
#include "retia/trainers/data/dataset.h"

namespace retia {

/// Names the independent streams of random draws of one sample: stream s draws from
/// Random(mix({key, s})), so that no option changes the draws of another. Streams from 16 on are
/// free for other users, such as drop path.
enum class SampleStream : uint64_t { ShiftDown, ShiftRight, Mirror, CutoutRow, CutoutColumn };

/// The random mirroring of images: none, or left to right for half of them.
enum class Flip { None, Horizontal };
NLOHMANN_JSON_SERIALIZE_ENUM(Flip, {{Flip::None, "none"}, {Flip::Horizontal, "horizontal"}})

/// The random augmentations of an image, applied in this order. Tables are not augmented.
struct AugmentOptions {
  /// Black pixels added on each side before a random crop of the original size.
  int64_t crop_padding = 0;
  Flip flip = Flip::None;  ///< Horizontal: mirrors half of the images
  /// Side in pixels of a square set to the mean; its centre is inside the image.
  int64_t cutout = 0;
};
inline std::vector<Option> declared(AugmentOptions& o) {
  return {
      option("crop_padding", o.crop_padding, Range{0, 65536},
             "random crop: pixels added on each side before"),
      option("flip", o.flip, "random flip"),
      option("cutout", o.cutout, Range{0, 65536}, "cutout: side of the square, in pixels"),
  };
}

/// Throws where a number of pixels is negative or above 65536.
void check_augment_options(const AugmentOptions& options);

/// Returns the table of draws that kernels::augment takes: int32 [keys, 5] on the CPU. Row i
/// depends on keys[i], the options and the image size only.
at::Tensor draw_augmentations(const std::vector<uint64_t>& keys, const AugmentOptions& options,
                              int64_t height, int64_t width);

/// Returns the normalised value of each of the 256 pixel values, [channels, 256] in `dtype` on the
/// CPU: (v / 255 - mean) / std, computed in double.
at::Tensor pixel_levels(const Dataset& images, at::ScalarType dtype);

}  // namespace retia
