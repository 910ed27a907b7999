#pragma once

#include <cstdint>
#include <memory>

#include "retia/kernels/stencil/lanes.h"

namespace retia::kernels {

/// Returns n rounded up to whole groups of pixels. Channels are rounded up in the same way.
constexpr int64_t whole(int64_t n) { return (n + kPixelGroup - 1) / kPixelGroup * kPixelGroup; }

/// An array at an address aligned for vectors. Copies share it. Not a tensor: making one costs as
/// much as the work on a small layer.
template <class T>
class Numbers {
 public:
  Numbers() = default;
  /// Allocates n zeros.
  explicit Numbers(int64_t n);
  /// Returns n numbers of any value.
  static Numbers unset(int64_t n);
  T* get() const { return data_.get(); }
  T* operator+(int64_t i) const { return get() + i; }
  T& operator[](int64_t i) const { return get()[i]; }

 private:
  std::shared_ptr<T> data_;
};

}  // namespace retia::kernels
