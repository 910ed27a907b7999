// Seen only through mixed_op_lanes_impl.h, whose rule on what may be used holds here too.
#pragma once

#include "kernels/mixed_op/mixed_op_lanes_vectors.h"

namespace retia::kernels {
namespace {

/// Pools of maxima and their gradients.
template <class T, int kLanes>
struct MaximumLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

  using Mask = decltype(Vector{} > Vector{});
  using Integer = decltype(+Mask{}[0]);

  template <bool kPlaces>
  static void maximum_loop(const T* src, const int32_t* from, const int32_t* taps, T* dst,
                           T* places, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        const T* const at = src + from[p] + v;
        Vector most = load(at + taps[0]);
        Mask place = {};
#pragma GCC unroll 8
        for (int t = 1; t < kPoolTaps; ++t) {
          const Vector value = load(at + taps[t]);
          const Mask more = (value > most) | (value != value);
          most = more ? value : most;
          place = more ? Mask{} + Integer{t} : place;
        }
        store(dst + p * c + v, most);
        if (kPlaces) {
          __builtin_memcpy(places + p * c + v, &place, sizeof place);
        }
      }
    }
  }

  static void maximum(const T* src, const int32_t* from, const int32_t* taps, T* dst, int64_t n,
                      int64_t c) {
    maximum_loop<false>(src, from, taps, dst, nullptr, n, c);
  }

  static void maximum_and_places(const T* src, const int32_t* from, const int32_t* taps, T* dst,
                                 T* places, int64_t n, int64_t c) {
    maximum_loop<true>(src, from, taps, dst, places, n, c);
  }

  static void add_at_places(const T* g, const T* places, const int32_t* from, const int32_t* taps,
                            T* dst, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        const Vector gradient = load(g + p * c + v);
        Mask place;
        __builtin_memcpy(&place, places + p * c + v, sizeof place);
        T* const to = dst + from[p] + v;
#pragma GCC unroll 9
        for (int t = 0; t < kPoolTaps; ++t) {
          store(to + taps[t], load(to + taps[t]) + (place == Integer{t} ? gradient : Vector{}));
        }
      }
    }
  }
};

}  // namespace
}  // namespace retia::kernels
