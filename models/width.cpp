#include "retia/models/width.h"

#include <c10/util/Exception.h>

#include <algorithm>

namespace retia {

int64_t scaled_channels(int64_t channels, double width, int64_t divisor) {
  TORCH_CHECK(width > 0, "width must be above 0, got ", width);
  if (width == 1) {
    return channels;
  }
  const double asked = static_cast<double>(channels) * width;
  const auto half = static_cast<double>(divisor) / 2;
  const auto nearest = static_cast<int64_t>(asked + half) / divisor * divisor;
  const int64_t result = std::max(divisor, nearest);
  return static_cast<double>(result) < 0.9 * asked ? result + divisor : result;
}

}  // namespace retia
