#pragma once

#include <cstdint>

namespace retia {

/// `channels * width` as the nearest multiple of `divisor`, at least `divisor` and not below nine
/// tenths of what was asked for (MobileNetV2, Sandler et al. 2018); of a width of 1 `channels` as
/// they are. Throws unless width is above 0.
int64_t scaled_channels(int64_t channels, double width, int64_t divisor);

}  // namespace retia
