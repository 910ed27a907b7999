#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op_plan.h"

namespace retia::kernels::cpu {

/// Pixels whose depthwise results stay in the first cache until their product is done.
constexpr int64_t kBlock = 64;

/// Images are summed in this many runs, whatever the number of threads, so that the sums have the
/// same bits.
constexpr int64_t kRuns = 16;

/// The images of a channels_last tensor with the channels filled up to whole vectors.
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

/// Writes images of a channels_last tensor: a pass writes pixels of image i at place(i), then calls
/// put(i, pixels), which leaves out the channels that were filled up.
template <class T>
class ImagesToWrite {
 public:
  ImagesToWrite(const at::Tensor& tensor, int64_t c)
      : data_(tensor.mutable_data_ptr<T>()),
        channels_(tensor.size(1)),
        pixels_(tensor.size(2) * tensor.size(3)),
        c_(c),
        filled_(channels_ == c ? 0 : pixels_ * c) {}

  T* place(int64_t i) const { return channels_ == c_ ? data_ + i * pixels_ * c_ : filled_.get(); }
  void put(int64_t i) const { put(i, {0, pixels_}); }
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

/// Numbers of the outputs that are kept, or of the pools: [stages, n, pixels, c].
template <class T>
struct Outputs {
  T* data;
  int64_t n, size;
  T* operator()(int64_t place, int64_t image) const { return data + (place * n + image) * size; }
};

/// The scratch memory of one thread: passes over many images allocate and clear it once.
template <class T>
struct Workplace {
  explicit Workplace(const Plan<T>& plan);

  Numbers<T> ones, zeros;
  Numbers<T> shift;      ///< of a normalisation, [c]
  Numbers<T> depthwise;  ///< of a block
  Table wide;            ///< of a block of pixels of 2c numbers
  Numbers<T> rectified;  ///< relu(x)
  Numbers<T> lowest;     ///< x, with a border that no maximum takes
  Numbers<T> bordered;   ///< x
  Numbers<T> second;     ///< relu of the normalised first stage
  Numbers<T> shares;     ///< one by the number of pixels under an average
};

/// The scratch memory of one thread of the backward pass.
template <class T>
struct BackwardWorkplace : Workplace<T> {
  explicit BackwardWorkplace(const Plan<T>& plan);

  Numbers<T> before;                         ///< gradient before the normalisation
  Numbers<T> product;                        ///< gradient before the product, of a block
  Numbers<T> first_out, second_out;          ///< gradient before the product, bordered
  Numbers<T> first_in, pools_in, second_in;  ///< gradient of what the stages read
};

/// The scratch memories of all threads, made at first use and kept from sweep to sweep.
template <class Plan, class Place>
class Workplaces {
 public:
  explicit Workplaces(const Plan& plan)
      : plan_(plan), places_(static_cast<size_t>(at::get_num_threads())) {}

  const Place& mine() {
    std::unique_ptr<Place>& place = places_.at(static_cast<size_t>(at::get_thread_num()));
    if (!place) {
      place = std::make_unique<Place>(plan_);
    }
    return *place;
  }

 private:
  const Plan& plan_;
  std::vector<std::unique_ptr<Place>> places_;
};

}  // namespace retia::kernels::cpu
