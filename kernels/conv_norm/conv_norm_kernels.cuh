#pragma once

#include <cmath>
#include <cstdint>

#include "retia/kernels/stencil/bodies.cuh"

/// The bodies of the passes of conv_norm (see stencil/bodies.cuh). No result depends on the order
/// in which threads run.
namespace retia::kernels::cuda {

/// Computes a depthwise convolution; one thread per output. weights: [c, kernel²].
template <class T>
struct Depthwise {
  Stencil at;
  const T* x;
  const Sum<T>* weights;
  T* out;

  RETIA_BODY void operator()(int i) const {
    const Place place(i, at.height_out, at.width_out, at.c);
    const Sum<T>* const mine = weights + place.channel * at.kernel * at.kernel;
    Sum<T> sum = 0;
    for_taps(at, place, [&](int tap, int64_t from) {
      sum += mine[tap] * read_rectified(x, from, at.rectify);
    });
    out[i] = static_cast<T>(sum);
  }
};

/// Computes the gradient of the input of a depthwise convolution; one thread per input. weights:
/// [c, kernel²].
template <class T>
struct DepthwiseBack {
  Stencil at;
  const T *x, *gradient;
  const Sum<T>* weights;
  T* to;

  RETIA_BODY void operator()(int i) const {
    const Place place(i, at.height, at.width, at.c);
    const Sum<T>* const mine = weights + place.channel * at.kernel * at.kernel;
    Sum<T> sum = 0;
    if (!is_cut(x, i, at.rectify)) {
      for_readers(at, place, [&](int tap, int, int, int64_t from) {
        sum += mine[tap] * static_cast<Sum<T>>(gradient[from]);
      });
    }
    to[i] = static_cast<T>(sum);
  }
};

/// Computes the gradient of depthwise weights over slices of outputs, [slices, kernel², c]; one
/// thread per number.
template <class T>
struct DepthwiseWeights {
  Stencil at;
  Slices slices;
  const T *x, *gradient;
  Sum<T>* sums;

  RETIA_BODY void operator()(int i) const {
    const int taps = at.kernel * at.kernel;
    const int channel = i % at.c, tap = i / at.c % taps, slice = i / at.c / taps;
    const int down = tap / at.kernel * at.dilation, right = tap % at.kernel * at.dilation;
    Sum<T> sum = 0;
    for (int pixel = slices.begin(slice); pixel < slices.begin(slice + 1); ++pixel) {
      const Place out(pixel, at.height_out, at.width_out, 1);
      const int y = at.first(out.y) + down, row = at.first(out.x) + right;
      if (y >= 0 && y < at.height && row >= 0 && row < at.width) {
        const int64_t from = ((int64_t{out.image} * at.height + y) * at.width + row) * at.c;
        sum += static_cast<Sum<T>>(gradient[int64_t{pixel} * at.c + channel]) *
               read_rectified(x, from + channel, at.rectify);
      }
    }
    sums[i] = sum;
  }
};

template <class T>
struct MaxPool {
  Stencil at;
  const T* x;
  T* out;

  RETIA_BODY void operator()(int i) const {
    Sum<T> value = 0;
    largest_tap(at, x, Place(i, at.height_out, at.width_out, at.c), &value);
    out[i] = static_cast<T>(value);
  }
};

/// Computes the gradient of the input of a max pool; one thread per input. Finds the maxima of the
/// windows again rather than save their places.
template <class T>
struct MaxPoolBack {
  Stencil at;
  const T *x, *gradient;
  T* to;

  RETIA_BODY void operator()(int i) const {
    const Place place(i, at.height, at.width, at.c);
    Sum<T> sum = 0;
    if (!is_cut(x, i, at.rectify)) {
      for_readers(at, place, [&](int tap, int y, int column, int64_t from) {
        Place out = place;
        out.y = y;
        out.x = column;
        Sum<T> value = 0;
        if (largest_tap(at, x, out, &value) == tap) {
          sum += static_cast<Sum<T>>(gradient[from]);
        }
      });
    }
    to[i] = static_cast<T>(sum);
  }
};

/// Computes an average pool; one thread per output.
template <class T>
struct AveragePool {
  Stencil at;
  const T* x;
  T* out;

  RETIA_BODY void operator()(int i) const {
    const Place place(i, at.height_out, at.width_out, at.c);
    Sum<T> sum = 0;
    for_taps(at, place, [&](int, int64_t from) { sum += read_rectified(x, from, at.rectify); });
    out[i] = static_cast<T>(sum * share<Sum<T>>(at, place.y, place.x));
  }
};

/// Computes the gradient of the input of an average pool; one thread per input.
template <class T>
struct AveragePoolBack {
  Stencil at;
  const T *x, *gradient;
  T* to;

  RETIA_BODY void operator()(int i) const {
    Sum<T> sum = 0;
    if (!is_cut(x, i, at.rectify)) {
      for_readers(at, Place(i, at.height, at.width, at.c),
                  [&](int, int y, int column, int64_t from) {
                    sum += static_cast<Sum<T>>(gradient[from]) * share<Sum<T>>(at, y, column);
                  });
    }
    to[i] = static_cast<T>(sum);
  }
};

/// Computes the factors of a normalisation; one thread per channel. norm: set to mean, 1/deviation,
/// and the a and b of y -> a · y + b, [4, c]. batch: count, mean and sum of squares about the mean,
/// [3, c]; null: running statistics are used. scale, shift: null: 1 and 0.
template <class S>
struct Normaliser {
  int c;
  const S *batch, *scale, *shift, *running_mean, *running_variance;
  S* norm;
  S epsilon;

  RETIA_BODY void operator()(int i) const {
    const S mean = batch != nullptr ? batch[c + i] : running_mean[i];
    const S variance = batch != nullptr ? batch[2 * c + i] / batch[0] : running_variance[i];
    const S inverse = S(1) / std::sqrt(variance + epsilon);
    const S factor = inverse * (scale != nullptr ? scale[i] : S(1));
    norm[i] = mean;
    norm[c + i] = inverse;
    norm[2 * c + i] = factor;
    norm[3 * c + i] = (shift != nullptr ? shift[i] : S(0)) - factor * mean;
  }
};

/// Normalises y, followed by relu if `rectify`; one thread per number. norm: of Normaliser.
template <class T>
struct Normalise {
  int c;
  const T* y;
  const Sum<T>* norm;
  bool rectify;
  T* out;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c;
    const Sum<T> value = norm[2 * c + channel] * static_cast<Sum<T>>(y[i]) + norm[3 * c + channel];
    out[i] = static_cast<T>(rectify && value < 0 ? Sum<T>(0) : value);
  }
};

/// Returns the gradient behind a normalisation, before relu if `rectify`. i: number in y, which is
/// of `channel`.
template <class T>
RETIA_BODY Sum<T> behind(const T* gradient, const T* y, const Sum<T>* norm, int c, int channel,
                         int64_t i, bool rectify) {
  const bool cut =
      rectify && !(norm[2 * c + channel] * static_cast<Sum<T>>(y[i]) + norm[3 * c + channel] > 0);
  return cut ? Sum<T>(0) : static_cast<Sum<T>>(gradient[i]);
}

/// Computes Σ g and Σ g · (y - mean) of each channel over slices of pixels, [slices, 2, c]; one
/// thread per slice and channel. g: gradient behind the normalisation.
template <class T>
struct Correlate {
  Slices slices;
  int c;
  const T *gradient, *y;
  const Sum<T>* norm;
  bool rectify;
  Sum<T>* sums;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, slice = i / c;
    Sum<T> sum = 0, product = 0;
    for (int pixel = slices.begin(slice); pixel < slices.begin(slice + 1); ++pixel) {
      const int64_t at = int64_t{pixel} * c + channel;
      const Sum<T> g = behind(gradient, y, norm, c, channel, at, rectify);
      sum += g;
      product += g * (static_cast<Sum<T>>(y[at]) - norm[channel]);
    }
    sums[int64_t{slice} * 2 * c + channel] = sum;
    sums[int64_t{slice} * 2 * c + c + channel] = product;
  }
};

/// Computes the coefficients a, b and shift, [3, c], by which the gradient of y is a · g + b · y +
/// shift, and the gradients of scale and shift, [2, c]; one thread per channel. g: gradient behind
/// the normalisation. sums: Σ g and Σ g · (y - mean), [2, c]. means: the same, divided by the
/// number of pixels of the batch, of all ranks.
template <class S>
struct Coefficients {
  int c;
  const S *sums, *means, *norm;
  bool training;
  S *coefficients, *affine;

  RETIA_BODY void operator()(int i) const {
    const S a = norm[2 * c + i], inverse = norm[c + i];
    const S b = training ? -a * inverse * inverse * means[c + i] : S(0);
    coefficients[i] = a;
    coefficients[c + i] = b;
    coefficients[2 * c + i] = training ? -a * means[i] - b * norm[i] : S(0);
    affine[i] = sums[c + i] * inverse;
    affine[c + i] = sums[i];
  }
};

/// Computes the gradient before the normalisation; one thread per number. coefficients: of
/// Coefficients.
template <class T>
struct NormaliseBack {
  int c;
  const T *gradient, *y;
  const Sum<T>*norm, *coefficients;
  bool rectify;
  T* to;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c;
    const Sum<T> g = behind(gradient, y, norm, c, channel, i, rectify);
    to[i] = static_cast<T>(coefficients[channel] * g +
                           coefficients[c + channel] * static_cast<Sum<T>>(y[i]) +
                           coefficients[2 * c + channel]);
  }
};

}  // namespace retia::kernels::cuda
