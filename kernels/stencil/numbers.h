#pragma once

#include <cstdint>
#include <memory>

#include "retia/kernels/stencil/lanes.h"

namespace retia::kernels {

/// Returns n rounded up to whole groups of pixels. Channels are rounded up in the same way.
constexpr int64_t whole(int64_t n) { return (n + kPixelGroup - 1) / kPixelGroup * kPixelGroup; }

/// An array of numbers, aligned for vectors. Copies of the object share the array. Used instead of
/// a tensor, which takes as long to make as a small layer to compute.
template <class T>
class Numbers {
 public:
  Numbers() = default;
  /// Allocates n zeros.
  explicit Numbers(int64_t n);
  /// Allocates n numbers without setting them.
  static Numbers unset(int64_t n);
  /// Returns the first number; null where n was 0.
  T* get() const { return data_.get(); }
  /// Returns the address of number i.
  T* operator+(int64_t i) const { return get() + i; }
  /// Returns number i.
  T& operator[](int64_t i) const { return get()[i]; }

 private:
  std::shared_ptr<T> data_;
};

}  // namespace retia::kernels
