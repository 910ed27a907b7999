#pragma once

#include "retia/engine/io/option.h"
#include "retia/trainers/data/dataset.h"

namespace retia {

/// The options of synthetic images.
struct SyntheticOptions {
  int64_t n_train = 1024;  ///< samples, ≥ 1
  int64_t n_test = 256;    ///< samples, ≥ 1
  int64_t n_classes = 10;  ///< ≥ 1
  int64_t channels = 1;    ///< ≥ 1
  int64_t height = 8;      ///< pixels, ≥ 1
  int64_t width = 8;       ///< pixels, ≥ 1
  /// Largest deviation of a pixel from its class's mosaic, in pixel values, 0 … 127.
  int64_t noise = 32;
  uint64_t seed = 0;
};
inline std::vector<Option> declared(SyntheticOptions& o) {
  return {
      option("n_train", o.n_train, Range{1, 1e9}, "training samples"),
      option("n_test", o.n_test, Range{1, 1e9}, "test samples"),
      option("n_classes", o.n_classes, Range{1, 1e6}, "classes"),
      option("channels", o.channels, Range{1, 1e6}, "channels of an image"),
      option("height", o.height, Range{1, 1e6}, "pixels"),
      option("width", o.width, Range{1, 1e6}, "pixels"),
      option("noise", o.noise, Range{0, 127}, "largest deviation of a pixel from its class"),
      option("seed", o.seed, Range{0}, "seed of the images"),
  };
}

/// Makes images that are easy to classify: each class is a mosaic of up to 4 x 4 patches of random
/// brightness; each image is its class's mosaic plus uniform noise. Classes alternate. Depends on
/// the options only, on every machine. Statistics are not set.
DataSplits make_synthetic(const SyntheticOptions& options);

}  // namespace retia
