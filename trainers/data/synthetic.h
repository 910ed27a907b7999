#pragma once

#include <nlohmann/json.hpp>

#include "retia/trainers/data/dataset.h"

namespace retia {

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
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SyntheticOptions, n_train, n_test, n_classes,
                                                channels, height, width, noise, seed)

/// Makes images that are easy to classify: each class is a mosaic of up to 4 x 4 patches of random
/// brightness; each image is its class's mosaic plus uniform noise. Classes alternate. Depends on
/// the options only, on every machine. Statistics are not set.
DataSplits make_synthetic(const SyntheticOptions& options);

}  // namespace retia
