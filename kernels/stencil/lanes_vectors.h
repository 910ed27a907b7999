// Included by lanes_impl.h only, whose rule about names that may be used holds here too.
#pragma once

#include "retia/kernels/stencil/lanes.h"

namespace retia::kernels {
namespace {

#ifdef __AVX512F__
constexpr int kRegisters = 32;
constexpr int kWidestBytes = 64;
#else
constexpr int kRegisters = 16;
constexpr int kWidestBytes = 32;
#endif
constexpr int kGroup = static_cast<int>(kPixelGroup);

/// Vectors of kLanes channels of a pixel.
template <class T, int kLanes>
struct Vectors {
  typedef T Vector __attribute__((vector_size(kLanes * sizeof(T))));

  static inline Vector load(const T* from) {
    Vector vector;
    __builtin_memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static inline void store(T* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }

  /// Returns the vector at g[at]; if kGated, with 0 where gate[at] is not above 0.
  template <bool kGated>
  static inline Vector load_gated(const T* g, const T* gate, int64_t at) {
    const Vector gradient = load(g + at);
    if constexpr (kGated) {
      return load(gate + at) > Vector{} ? gradient : Vector{};
    }
    return gradient;
  }

  /// Prefetches n vectors `step` numbers apart from each array, into the second-level cache: the
  /// first level has no room for them.
  static inline void request(const Prefetch<T>& prefetch, int64_t first, int64_t step, int n) {
    for (int64_t a = 0; a < prefetch.n; ++a) {
      const T* const wanted = prefetch.arrays[a] + prefetch.at + first;
#pragma GCC unroll 8
      for (int i = 0; i < n; ++i) {
        __builtin_prefetch(wanted + i * step, 0, 2);
      }
    }
  }
};

/// Returns whether n > 1 pixels of a table lie `step` numbers apart. Neighbours in a table have one
/// distance within a row and another from row to row, or are equal at the end, so that the first
/// and the last two entries tell.
inline bool lie_evenly(const int32_t* from, int n, int64_t step) {
  return from[n - 1] - from[0] == (n - 1) * step && from[n - 1] - from[n - 2] == step;
}

}  // namespace
}  // namespace retia::kernels
