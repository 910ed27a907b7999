// Included by lanes_impl.h only, whose rule about names that may be used holds here too.
#pragma once

#include "retia/kernels/stencil/lanes_vectors.h"

namespace retia::kernels {
namespace {

/// The loops of Lanes for max pools and their gradients.
template <class T, int kLanes>
struct MaximumLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::request;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

  using Mask = decltype(Vector{} > Vector{});

  static inline Vector larger(Vector most, Vector value) {
    const Mask more = (value > most) | (value != value);
    return more ? value : most;
  }

  /// Computes kGroup outputs whose centres lie kStep units apart, with taps one unit apart. The
  /// maximum of a column of inputs serves every output that reads the column.
  template <int kStep>
  static inline void maximum_of_columns(const T* at, int64_t unit, const int32_t* taps, T* dst,
                                        int64_t c) {
    constexpr int kSpan = (kGroup - 1) * kStep + 3;
    Vector column[kSpan];
#pragma GCC unroll 32
    for (int q = 0; q < kSpan; ++q) {
      const T* const top = at + q * unit;
      column[q] = larger(larger(load(top + taps[0]), load(top + taps[3])), load(top + taps[6]));
    }
#pragma GCC unroll 8
    for (int i = 0; i < kGroup; ++i) {
      const Vector* const three = column + i * kStep;
      store(dst + i * c, larger(larger(three[0], three[1]), three[2]));
    }
  }

  static void maximum_anywhere(const T* src, const int32_t* from, const int32_t* taps, T* dst,
                               int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        const T* const at = src + from[p] + v;
        Vector most = load(at + taps[0]);
#pragma GCC unroll 8
        for (int t = 1; t < kPoolTaps; ++t) {
          most = larger(most, load(at + taps[t]));
        }
        store(dst + p * c + v, most);
      }
    }
  }

  static void maximum(const T* src, const int32_t* from, const int32_t* taps, T* dst, int64_t n,
                      int64_t c, const Prefetch<T>& prefetch) {
    const int64_t unit = taps[1] - taps[0];
    int64_t p = 0;
    for (; p + kGroup <= n; p += kGroup) {
      const bool dense = lie_evenly(from + p, kGroup, unit);
      if (!dense && !lie_evenly(from + p, kGroup, 2 * unit)) {
        maximum_anywhere(src, from + p, taps, dst + p * c, kGroup, c);
        continue;
      }
      for (int64_t v = 0; v < c; v += kLanes) {
        request(prefetch, p * c + v, c, kGroup);
        const auto columns = dense ? &maximum_of_columns<1> : &maximum_of_columns<2>;
        columns(src + from[p] + v, unit, taps, dst + p * c + v, c);
      }
    }
    maximum_anywhere(src, from + p, taps, dst + p * c, n - p, c);
  }

  static void add_at_maxima(const T* g, const T* most, const T* src, const int32_t* from,
                            const int32_t* taps, T* dst, int64_t n, int64_t c) {
    const Vector nowhere = Vector{} / Vector{};  // NaN, which no value equals
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        const Vector gradient = load(g + p * c + v);
        Vector wanted = load(most + p * c + v);
        const T* const at = src + from[p] + v;
        T* const to = dst + from[p] + v;
#pragma GCC unroll 9
        for (int t = 0; t < kPoolTaps; ++t) {
          const Mask here = load(at + taps[t]) == wanted;
          wanted = here ? nowhere : wanted;
          store(to + taps[t], load(to + taps[t]) + (here ? gradient : Vector{}));
        }
      }
    }
  }
};

}  // namespace
}  // namespace retia::kernels
