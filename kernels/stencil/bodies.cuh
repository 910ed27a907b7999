#pragma once

#include <cmath>
#include <cstdint>

#include "retia/kernels/body.h"

/// The parts that bodies of several kernels share: stencils, and sums over slices of pixels that do
/// not depend on the order in which threads run. A body is a function of a thread's number. Threads
/// share no memory, so that a loop on the host runs the very same code. Tensors are
/// [n, height, width, c]. T is the type in which tensors are stored, Sum<T> the type of sums.
namespace retia::kernels::cuda {

/// The type in which numbers stored as T are added: double for double, float for all others.
template <class T>
struct SumOf {
  using type = float;
};
template <>
struct SumOf<double> {
  using type = double;
};
template <class T>
using Sum = typename SumOf<T>::type;

/// The sizes of a stencil. Tap `tap` of output `out` reads out · stride + (tap - kernel / 2) ·
/// dilation along each axis.
struct Stencil {
  int height, width, height_out, width_out, c;  ///< sizes of input and output
  int kernel, stride, dilation;
  bool rectify;  ///< whether max(x, 0) is read instead of x

  /// Returns what the first tap of output `out` reads along an axis; negative: the padding.
  RETIA_BODY int first(int out) const { return out * stride - kernel / 2 * dilation; }
};

/// The image, row, column and channel of number `i` of a tensor [n, height, width, c].
struct Place {
  int image, y, x, channel;

  RETIA_BODY Place(int i, int height, int width, int c) {
    channel = i % c;
    i /= c;
    x = i % width;
    i /= width;
    y = i % height;
    image = i / height;
  }
};

/// Returns x[i], or max(x[i], 0) if `rectify`.
template <class T>
RETIA_BODY Sum<T> read_rectified(const T* x, int64_t i, bool rectify) {
  const auto value = static_cast<Sum<T>>(x[i]);
  return rectify && value < 0 ? Sum<T>(0) : value;
}

/// Returns whether relu stops the gradient of x[i]. rectify: whether there is a relu.
template <class T>
RETIA_BODY bool is_cut(const T* x, int64_t i, bool rectify) {
  return rectify && !(static_cast<Sum<T>>(x[i]) > 0);
}

/// Calls visit(tap, index in the input) for the taps of output `out` that lie within the image.
template <class Visit>
RETIA_BODY void for_taps(const Stencil& s, const Place& out, const Visit& visit) {
  for (int row = 0; row < s.kernel; ++row) {
    const int y = s.first(out.y) + row * s.dilation;
    for (int column = 0; column < s.kernel; ++column) {
      const int x = s.first(out.x) + column * s.dilation;
      if (y >= 0 && y < s.height && x >= 0 && x < s.width) {
        visit(row * s.kernel + column,
              ((int64_t{out.image} * s.height + y) * s.width + x) * s.c + out.channel);
      }
    }
  }
}

/// Calls visit(tap, y, x, index in the output) for each output [y, x] that reads input `in`.
template <class Visit>
RETIA_BODY void for_readers(const Stencil& s, const Place& in, const Visit& visit) {
  for (int row = 0; row < s.kernel; ++row) {
    const int y = in.y - s.first(0) - row * s.dilation;
    for (int column = 0; column < s.kernel; ++column) {
      const int x = in.x - s.first(0) - column * s.dilation;
      if (y >= 0 && x >= 0 && y % s.stride == 0 && x % s.stride == 0 &&
          y / s.stride < s.height_out && x / s.stride < s.width_out) {
        visit(
            row * s.kernel + column, y / s.stride, x / s.stride,
            ((int64_t{in.image} * s.height_out + y / s.stride) * s.width_out + x / s.stride) * s.c +
                in.channel);
      }
    }
  }
}

/// Returns the first tap with the largest input of a window, and sets *value to this input. NaN
/// counts as larger than every number.
template <class T>
RETIA_BODY int largest_tap(const Stencil& at, const T* x, const Place& out, Sum<T>* value) {
  int best = -1;
  for_taps(at, out, [&](int tap, int64_t from) {
    const Sum<T> here = read_rectified(x, from, at.rectify);
    if (best < 0 || here > *value || here != here) {
      best = tap;
      *value = here;
    }
  });
  return best;
}

/// Returns how many pixels of an axis of `size` pixels lie in a window that begins at `first`.
RETIA_BODY int n_inside(int first, int kernel, int size) {
  const int begin = first < 0 ? 0 : first;
  const int end = first + kernel > size ? size : first + kernel;
  return end - begin;
}

/// Returns 1 / (number of inputs under a pool's window, at most 3 x 3). Without a division, which
/// would be a call that spills registers.
template <class S>
RETIA_BODY S share(const Stencil& at, int y, int x) {
  const auto inverse = [](int n) { return n == 3 ? S(1) / S(3) : n == 2 ? S(0.5) : S(1); };
  return inverse(n_inside(at.first(y), at.kernel, at.height)) *
         inverse(n_inside(at.first(x), at.kernel, at.width));
}

/// The slices into which sums over pixels are divided.
struct Slices {
  int pixels;  ///< number of pixels of all slices
  int n;       ///< number of slices

  /// Returns the first pixel of a slice.
  RETIA_BODY int begin(int slice) const { return static_cast<int>(int64_t{pixels} * slice / n); }
};

/// Computes count, mean and sum of squares about the mean of each channel over slices of pixels,
/// [slices, 3, c]; one thread per slice and channel.
template <class T>
struct Moments {
  Slices slices;
  int c;
  const T* y;
  Sum<T>* moments;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, slice = i / c;
    const int begin = slices.begin(slice), end = slices.begin(slice + 1);
    // About the first number, so that a large mean costs no digits.
    const auto centre = static_cast<Sum<T>>(y[int64_t{begin} * c + channel]);
    Sum<T> sum = 0, square = 0;
    for (int pixel = begin; pixel < end; ++pixel) {
      const Sum<T> value = static_cast<Sum<T>>(y[int64_t{pixel} * c + channel]) - centre;
      sum += value;
      square += value * value;
    }
    const auto count = static_cast<Sum<T>>(end - begin);
    Sum<T>* const to = moments + int64_t{slice} * 3 * c + channel;
    to[0] = count;
    to[c] = centre + sum / count;
    to[2 * c] = square - sum * sum / count;
  }
};

/// The largest number of slices that one thread joins.
constexpr int kJoined = 32;

/// Joins the moments of up to kJoined slices into one; one thread per joined slice and channel.
/// from: [n, 3, c]. to: [n / kJoined rounded up, 3, c].
template <class S>
struct JoinMoments {
  int n, c;
  const S* from;
  S* to;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, joined = i / c;
    S count = 0, mean = 0, square = 0;
    for (int slice = joined * kJoined; slice < n && slice < (joined + 1) * kJoined; ++slice) {
      const S* const more = from + int64_t{slice} * 3 * c + channel;
      const S distance = more[c] - mean, both = count + more[0];
      square += more[2 * c] + distance * distance * count * more[0] / both;
      mean += distance * more[0] / both;
      count = both;
    }
    S* const result = to + int64_t{joined} * 3 * c + channel;
    result[0] = count;
    result[c] = mean;
    result[2 * c] = square;
  }
};

/// Adds the sums of up to kJoined slices; one thread per joined slice and column. from: [n, width].
/// to: [n / kJoined rounded up, width].
template <class S>
struct JoinSums {
  int n, width;
  const S* from;
  S* to;

  RETIA_BODY void operator()(int i) const {
    const int column = i % width, joined = i / width;
    S sum = 0;
    for (int slice = joined * kJoined; slice < n && slice < (joined + 1) * kJoined; ++slice) {
      sum += from[int64_t{slice} * width + column];
    }
    to[i] = sum;
  }
};

}  // namespace retia::kernels::cuda
