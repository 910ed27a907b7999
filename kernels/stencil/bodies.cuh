#pragma once

#include <cmath>
#include <cstdint>

#include "retia/kernels/body.h"

/// The parts that bodies of several kernels share: how an output reads through a stencil, and sums over
/// slices of pixels that do not depend on the order in which threads run. A body is a function of a
/// thread's number; no body shares memory between threads, so that a loop on the host runs the very
/// same code. Tensors are [n, height, width, c]; T is how they are stored, Sum<T> what is computed
/// in.
namespace retia::kernels::cuda {

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

/// Sizes of a stencil and how it reads. An output's taps are at out · stride + (tap - kernel / 2) ·
/// dilation.
struct Stencil {
  int height, width, height_out, width_out, c;
  int kernel, stride, dilation;
  bool rectify;  ///< max(x, 0) is read

  RETIA_BODY int first(int out) const { return out * stride - kernel / 2 * dilation; }
};

/// The place of number `i` in a tensor of height · width · c.
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

template <class T>
RETIA_BODY Sum<T> read_rectified(const T* x, int64_t i, bool rectify) {
  const auto value = static_cast<Sum<T>>(x[i]);
  return rectify && value < 0 ? Sum<T>(0) : value;
}

template <class T>
RETIA_BODY bool is_cut(const T* x, int64_t i, bool rectify) {
  return rectify && !(static_cast<Sum<T>>(x[i]) > 0);
}

/// Calls visit(tap, place in the input) for the taps of an output that are inside.
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

/// Calls visit(tap, y, x of the output, its place) for the outputs that read an input.
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

/// The tap of the largest input of a window, the first of several; NaN is larger than all.
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

/// How many inputs the window of an output along one axis holds.
RETIA_BODY int n_inside(int first, int kernel, int size) {
  const int begin = first < 0 ? 0 : first;
  const int end = first + kernel > size ? size : first + kernel;
  return end - begin;
}

/// One by the number of inputs under a pool's window, at most three each way; a division would be a
/// call, around which registers are spilled.
template <class S>
RETIA_BODY S share(const Stencil& at, int y, int x) {
  const auto inverse = [](int n) { return n == 3 ? S(1) / S(3) : n == 2 ? S(0.5) : S(1); };
  return inverse(n_inside(at.first(y), at.kernel, at.height)) *
         inverse(n_inside(at.first(x), at.kernel, at.width));
}

/// Pixels of one of the slices into which sums are cut.
struct Slices {
  int pixels, n;

  RETIA_BODY int begin(int slice) const { return static_cast<int>(int64_t{pixels} * slice / n); }
};

/// Count, mean and sum of squares about it of each channel over slices of pixels: [slices, 3, c];
/// a thread a slice and channel.
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

/// Joins up to kJoined slices into one, of `n` in all; a thread a joined slice and channel.
constexpr int kJoined = 32;

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

/// Joins slices [n, width] of sums likewise.
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
