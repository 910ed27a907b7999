#pragma once

#include "retia/kernels/mixed_op/mixed_op_branches.h"
#include "retia/kernels/stencil/bodies.cuh"

/// The bodies of the passes of mixed_ops (see stencil/bodies.cuh). Branches of all edges that leave
/// a node share a pass: the number of a thread says which member of a group it works for, so that
/// an edge of eight candidates takes about a dozen launches forward and two dozen backward, instead
/// of a hundred and two hundred layer by layer. Tensors are [pixels, c].
namespace retia::kernels::cuda {

/// The largest number of tensors that one pass works on.
constexpr int kMembers = 16;

/// The tensors that one pass works on.
template <class Member>
struct Group {
  Member members[kMembers];  ///< first n: the members
  int n;                     ///< number of members
};

/// A tensor that is read as (y - mean) / deviation, or as it is.
template <class T>
struct Normalised {
  const T* y;
  const Sum<T>* norm;  ///< mean and 1/deviation, [2, c]; null: y is read as it is

  /// Returns number i, which is of `channel`.
  RETIA_BODY Sum<T> at(int64_t i, int channel, int c) const {
    const auto value = static_cast<Sum<T>>(y[i]);
    return norm == nullptr ? value : (value - norm[channel]) * norm[c + channel];
  }
};

/// A depthwise convolution of relu(from), or a pool of `from`. weights: [c, kernel²].
template <class T>
struct StencilOf {
  StageKind kind;
  Stencil at;
  Normalised<T> from;
  const Sum<T>* weights;
  T* out;
};

/// Computes stencils; one thread per output of a member. size: outputs of a member.
template <class T>
struct Stencils {
  int size;
  Group<StencilOf<T>> group;

  RETIA_BODY void operator()(int i) const {
    const StencilOf<T>& of = group.members[i / size];
    const int to = i % size;
    const Place place(to, of.at.height_out, of.at.width_out, of.at.c);
    Sum<T> result = 0;
    if (of.kind == StageKind::MaxPool) {
      largest_tap(of.at, of.from.y, place, &result);
    } else if (of.kind == StageKind::AveragePool) {
      for_taps(of.at, place,
               [&](int, int64_t from) { result += static_cast<Sum<T>>(of.from.y[from]); });
      result *= share<Sum<T>>(of.at, place.y, place.x);
    } else {
      const Sum<T>* const mine = of.weights + place.channel * of.at.kernel * of.at.kernel;
      for_taps(of.at, place, [&](int tap, int64_t from) {
        const Sum<T> value = of.from.at(from, place.channel, of.at.c);
        result += value > 0 ? mine[tap] * value : Sum<T>(0);
      });
    }
    of.out[to] = static_cast<T>(result);
  }
};

/// Collects what the products of a factorised reduction read, [pixels, 2 c]: relu of each second
/// pixel, and relu of the pixel one further down and right; one thread per number.
template <class T>
struct Halved {
  Stencil at;
  const T* x;
  T* out;

  RETIA_BODY void operator()(int i) const {
    Place place(i, at.height_out, at.width_out, 2 * at.c);
    const int shift = place.channel / at.c;
    const int y = 2 * place.y + shift, column = 2 * place.x + shift;
    Sum<T> value = 0;
    if (y < at.height && column < at.width) {
      value = read_rectified(x,
                             ((int64_t{place.image} * at.height + y) * at.width + column) * at.c +
                                 place.channel % at.c,
                             true);
    }
    out[i] = static_cast<T>(value);
  }
};

/// Computes count, mean and sum of squares about the mean, [members, slices, 3, c]; one thread per
/// member, slice and channel.
template <class T>
struct MomentsOf {
  Slices slices;
  int c;
  Group<const T*> group;
  Sum<T>* moments;

  RETIA_BODY void operator()(int i) const {
    const int width = slices.n * c, member = i / width;
    const Moments<T> one = {slices, c, group.members[member],
                            moments + int64_t{member} * 3 * width};
    one(i % width);
  }
};

/// The statistics of one normalisation.
template <class S>
struct Running {
  const S *mean, *variance;  ///< running statistics, read in evaluation
  S* batch;                  ///< moments of the batch, [3, c], written while training
};

/// Computes mean and 1/deviation of each channel, [members, 2, c]; one thread per channel of a
/// member. batch: count, mean and sum of squares about the mean, [members, 3, c], which is also
/// copied to each Running::batch; null: running statistics are used.
template <class S>
struct Normalisers {
  int c;
  const S* batch;
  Group<Running<S>> running;
  S epsilon;
  S* norm;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, member = i / c;
    const Running<S>& kept = running.members[member];
    const S* const mine = batch == nullptr ? nullptr : batch + int64_t{member} * 3 * c + channel;
    const S mean = mine != nullptr ? mine[c] : kept.mean[channel];
    const S variance = mine != nullptr ? mine[2 * c] / mine[0] : kept.variance[channel];
    for (int k = 0; mine != nullptr && k < 3; ++k) {
      kept.batch[k * c + channel] = mine[k * c];
    }
    S* const to = norm + int64_t{member} * 2 * c + channel;
    to[0] = mean;
    to[c] = S(1) / std::sqrt(variance + epsilon);
  }
};

/// A term of a blend.
template <class T>
struct Term {
  Normalised<T> from;
  const Sum<T>* weight;  ///< weight of the term; null: 1
};

/// Computes the weighted sum of the terms; one thread per number.
template <class T>
struct Blend {
  int c;
  Group<Term<T>> terms;
  bool add;  ///< whether the sum is added to `out`
  T* out;

  RETIA_BODY void operator()(int i) const {
    Sum<T> sum = add ? static_cast<Sum<T>>(out[i]) : Sum<T>(0);
    for (int k = 0; k < terms.n; ++k) {
      const Term<T>& term = terms.members[k];
      const Sum<T> weight = term.weight == nullptr ? Sum<T>(1) : *term.weight;
      sum += weight * term.from.at(i, i % c, c);
    }
    out[i] = static_cast<T>(sum);
  }
};

/// A normalised tensor ŷ with its gradient g.
template <class T>
struct Correlated {
  Normalised<T> y;
  const T* gradient;
};

/// Computes Σ g and Σ g · ŷ, [members, slices, 2, c], from which the gradients of the blend and of
/// all normalisations follow; one thread per member, slice and channel.
template <class T>
struct Correlations {
  Slices slices;
  int c;
  Group<Correlated<T>> group;
  Sum<T>* sums;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, slice = i / c % slices.n, member = i / c / slices.n;
    const Correlated<T>& of = group.members[member];
    Sum<T> sum = 0, product = 0;
    for (int pixel = slices.begin(slice); pixel < slices.begin(slice + 1); ++pixel) {
      const int64_t at = int64_t{pixel} * c + channel;
      const auto g = static_cast<Sum<T>>(of.gradient[at]);
      sum += g;
      product += g * of.y.at(at, channel, c);
    }
    Sum<T>* const to = sums + (int64_t{member} * slices.n + slice) * 2 * c + channel;
    to[0] = sum;
    to[c] = product;
  }
};

/// Computes the gradient of the blend; one thread per term. sums: Σ g and Σ g · ŷ, [terms, 2, c].
/// places: place of each term in the blend.
template <class S>
struct BlendBack {
  int c;
  const S* sums;
  Group<int> places;
  S* to;

  RETIA_BODY void operator()(int i) const {
    S sum = 0;
    for (int channel = 0; channel < c; ++channel) {
      sum += sums[(int64_t{i} * 2 + 1) * c + channel];
    }
    to[places.members[i]] = sum;
  }
};

/// A normalisation on the way back.
template <class T>
struct Behind {
  Normalised<T> y;
  const T* gradient;     ///< gradient g behind the normalisation
  const Sum<T>* means;   ///< means of g and g · ŷ, [2, c]
  const Sum<T>* weight;  ///< factor of g; null: 1
  T* to;                 ///< gradient before the normalisation
};

/// Computes gradients before normalisations; one thread per number of a member.
template <class T>
struct NormalisedBack {
  int size, c;
  bool training;  ///< whether the batch's statistics are used
  Group<Behind<T>> group;

  RETIA_BODY void operator()(int i) const {
    const Behind<T>& of = group.members[i / size];
    const int at = i % size, channel = at % c;
    auto g = static_cast<Sum<T>>(of.gradient[at]);
    if (training) {
      g -= of.means[channel] + of.y.at(at, channel, c) * of.means[c + channel];
    }
    const Sum<T> factor = of.weight == nullptr ? Sum<T>(1) : *of.weight;
    of.to[at] = static_cast<T>(factor * of.y.norm[c + channel] * g);
  }
};

/// A depthwise convolution on the way back.
template <class T>
struct Through {
  Stencil at;
  Normalised<T> from;     ///< what the convolution reads, before relu
  const Sum<T>* weights;  ///< [c, kernel²]
  const T* gradient;      ///< gradient of the outputs
  T* to;                  ///< gradient of `from`
};

/// Computes gradients of what depthwise convolutions read; one thread per input of a member. size:
/// inputs of a member.
template <class T>
struct ThroughDepthwise {
  int size;
  Group<Through<T>> group;

  RETIA_BODY void operator()(int i) const {
    const Through<T>& of = group.members[i / size];
    const int to = i % size;
    const Place place(to, of.at.height, of.at.width, of.at.c);
    const Sum<T>* const mine = of.weights + place.channel * of.at.kernel * of.at.kernel;
    Sum<T> sum = 0;
    if (of.from.at(to, place.channel, of.at.c) > 0) {
      for_readers(of.at, place, [&](int tap, int, int, int64_t from) {
        sum += mine[tap] * static_cast<Sum<T>>(of.gradient[from]);
      });
    }
    of.to[to] = static_cast<T>(sum);
  }
};

/// Computes gradients of depthwise weights over slices of pixels, [members, slices, taps, c]; one
/// thread per number. taps: of the largest kernel; smaller kernels have zeros at the end.
template <class T>
struct DepthwiseWeightsOf {
  Slices slices;
  int taps, c;
  Group<Through<T>> group;
  Sum<T>* sums;

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, tap = i / c % taps, slice = i / c / taps % slices.n;
    const Through<T>& of = group.members[i / c / taps / slices.n];
    const Stencil& at = of.at;
    Sum<T> sum = 0;
    if (tap < at.kernel * at.kernel) {
      const int down = tap / at.kernel * at.dilation, right = tap % at.kernel * at.dilation;
      for (int pixel = slices.begin(slice); pixel < slices.begin(slice + 1); ++pixel) {
        const Place out(pixel, at.height_out, at.width_out, 1);
        const int y = at.first(out.y) + down, column = at.first(out.x) + right;
        if (y >= 0 && y < at.height && column >= 0 && column < at.width) {
          const int64_t from = ((int64_t{out.image} * at.height + y) * at.width + column) * c;
          const Sum<T> value = of.from.at(from + channel, channel, c);
          sum += value > 0 ? static_cast<Sum<T>>(of.gradient[int64_t{pixel} * c + channel]) * value
                           : Sum<T>(0);
        }
      }
    }
    sums[i] = sum;
  }
};

/// The first stage of a branch on the way back to x. gradient: of what the stage computes from x,
/// [pixels, c], for halvings [pixels, 2 c].
template <class T>
struct Into {
  StageKind kind;
  Stencil at;
  const Sum<T>* weights;  ///< depthwise weights, [c, kernel²]
  const T* gradient;
  const Sum<T>* identity;  ///< weight of x itself in the blend; null: a stage reads x
};

/// Computes the gradient of x through all branches; one thread per number of x.
template <class T>
struct IntoInput {
  const T* x;
  Group<Into<T>> group;
  bool add;  ///< whether the gradient is added to `to`
  T* to;

  RETIA_BODY void operator()(int i) const {
    Sum<T> sum = add ? static_cast<Sum<T>>(to[i]) : Sum<T>(0);
    const Stencil& any = group.members[0].at;
    const Place place(i, any.height, any.width, any.c);
    const bool is_cut = !(static_cast<Sum<T>>(x[i]) > 0);
    for (int k = 0; k < group.n; ++k) {
      sum += through(group.members[k], i, place, is_cut);
    }
    to[i] = static_cast<T>(sum);
  }

 private:
  RETIA_BODY Sum<T> through(const Into<T>& of, int i, const Place& place, bool is_cut) const {
    Sum<T> sum = 0;
    if (of.identity != nullptr) {
      return *of.identity * static_cast<Sum<T>>(of.gradient[i]);
    }
    switch (of.kind) {
      case StageKind::Halving:
        return is_cut || place.y % 2 != place.x % 2 ? Sum<T>(0) : halved(of, place);
      case StageKind::Convolution:
        if (!is_cut) {
          const Sum<T>* const mine = of.weights + place.channel * of.at.kernel * of.at.kernel;
          for_readers(of.at, place, [&](int tap, int, int, int64_t from) {
            sum += mine[tap] * static_cast<Sum<T>>(of.gradient[from]);
          });
        }
        return sum;
      case StageKind::AveragePool:
        for_readers(of.at, place, [&](int, int y, int column, int64_t from) {
          sum += static_cast<Sum<T>>(of.gradient[from]) * share<Sum<T>>(of.at, y, column);
        });
        return sum;
      case StageKind::MaxPool:
        for_readers(of.at, place, [&](int tap, int y, int column, int64_t from) {
          Place out = place;
          out.y = y;
          out.x = column;
          Sum<T> value = 0;
          if (largest_tap(of.at, x, out, &value) == tap) {
            sum += static_cast<Sum<T>>(of.gradient[from]);
          }
        });
        return sum;
    }
    return sum;
  }

  RETIA_BODY static Sum<T> halved(const Into<T>& of, const Place& place) {
    const int shift = place.y % 2, c = of.at.c;
    const int64_t pixel =
        (int64_t{place.image} * of.at.height_out + place.y / 2) * of.at.width_out + place.x / 2;
    return static_cast<Sum<T>>(of.gradient[(pixel * 2 + shift) * c + place.channel]);
  }
};

}  // namespace retia::kernels::cuda
