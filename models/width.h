#pragma once

#include <cstdint>

namespace retia {

/// The number that channels in mobile networks are multiples of.
inline constexpr int64_t kMobileDivisor = 8;

/// Returns `channels * width` rounded to the nearest multiple of `divisor`, but at least `divisor`
/// and at least nine tenths of the exact product (MobileNetV2, Sandler et al. 2018); `channels`
/// unchanged for a width of 1. Throws unless `width` is above 0.
int64_t scaled_channels(int64_t channels, double width, int64_t divisor);

}  // namespace retia
