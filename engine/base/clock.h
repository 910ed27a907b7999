#pragma once

#include <chrono>

namespace retia {

/// Returns seconds of a clock that never goes back: differences say how long something took.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Returns seconds since the beginning of 1970, in UTC.
inline double utc_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace retia
