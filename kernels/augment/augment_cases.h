#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace retia::kernels {

/// A batch of images that the test compares and the benchmark times.
struct AugmentCase {
  std::string name;
  int64_t n, channels, height, width;  ///< sizes of the images
  int64_t crop_padding;                ///< largest shift, in pixels
  int64_t cutout;                      ///< side of the square that is cut out, in pixels
};

/// Returns batches of common data sets, with the augmentation that is usual for each.
inline std::vector<AugmentCase> augment_cases() {
  return {
      {.name = "digits",
       .n = 64,
       .channels = 1,
       .height = 8,
       .width = 8,
       .crop_padding = 1,
       .cutout = 2},
      {.name = "fashion",
       .n = 64,
       .channels = 1,
       .height = 28,
       .width = 28,
       .crop_padding = 4,
       .cutout = 8},
      {.name = "cifar",
       .n = 64,
       .channels = 3,
       .height = 32,
       .width = 32,
       .crop_padding = 4,
       .cutout = 16},
      {.name = "cifar_large_batch",
       .n = 1024,
       .channels = 3,
       .height = 32,
       .width = 32,
       .crop_padding = 4,
       .cutout = 16},
      {.name = "cifar_plain",
       .n = 64,
       .channels = 3,
       .height = 32,
       .width = 32,
       .crop_padding = 0,
       .cutout = 0},
      {.name = "imagenet",
       .n = 32,
       .channels = 3,
       .height = 224,
       .width = 224,
       .crop_padding = 28,
       .cutout = 0},
  };
}

}  // namespace retia::kernels
