#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>

#include "retia/kernels/stencil/geometry.h"

namespace retia::kernels::cpu {

/// Reads images of a channels_last tensor, with the channels filled up by zeros to `c`.
template <class T>
class Images {
 public:
  Images(const at::Tensor& tensor, int64_t c)
      : data_(tensor.const_data_ptr<T>()),
        channels_(tensor.size(1)),
        pixels_(tensor.size(2) * tensor.size(3)),
        c_(c),
        filled_(channels_ == c ? 0 : pixels_ * c) {}

  /// Returns image i, valid until the next call.
  const T* image(int64_t i) const { return image(i, {0, pixels_}); }

  /// Returns image i, of which only `pixels` may be read, valid until the next call.
  const T* image(int64_t i, Pixels pixels) const {
    const T* const from = data_ + i * pixels_ * channels_;
    if (channels_ == c_) {
      return from;
    }
    for (int64_t p = pixels.first; p < pixels.end; ++p) {
      std::copy_n(from + p * channels_, channels_, filled_ + p * c_);
    }
    return filled_.get();
  }

 private:
  const T* data_;
  int64_t channels_, pixels_, c_;
  Numbers<T> filled_;
};

/// Writes images of a channels_last tensor. A pass writes pixels of image i, of `c` channels each,
/// at place(i), then calls put(i, pixels), which leaves out the channels that were filled up.
template <class T>
class ImagesToWrite {
 public:
  ImagesToWrite(const at::Tensor& tensor, int64_t c)
      : data_(tensor.mutable_data_ptr<T>()),
        channels_(tensor.size(1)),
        pixels_(tensor.size(2) * tensor.size(3)),
        c_(c),
        filled_(channels_ == c ? 0 : pixels_ * c) {}

  /// Returns where to write the pixels of image i, valid until the next call.
  T* place(int64_t i) const { return channels_ == c_ ? data_ + i * pixels_ * c_ : filled_.get(); }
  /// Puts all pixels of image i into the tensor.
  void put(int64_t i) const { put(i, {0, pixels_}); }
  /// Puts some pixels of image i into the tensor.
  void put(int64_t i, Pixels pixels) const {
    if (channels_ != c_) {
      for (int64_t p = pixels.first; p < pixels.end; ++p) {
        std::copy_n(filled_ + p * c_, channels_, data_ + (i * pixels_ + p) * channels_);
      }
    }
  }

 private:
  T* data_;
  int64_t channels_, pixels_, c_;
  Numbers<T> filled_;
};

}  // namespace retia::kernels::cpu
