// Included by lanes_impl.h only, whose rule about names that may be used holds here too.
#pragma once

#include "retia/kernels/stencil/lanes_vectors.h"

namespace retia::kernels {
namespace {

/// The loops of Lanes for sums over pixels, from which statistics are computed.
template <class T, int kLanes>
struct SumLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

  static void add_moments(const T* y, const T* centre, int64_t n, int64_t c, T* sum, T* square) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector middle = load(centre + v);
      Vector sums[4] = {};
      Vector squares[4] = {};
      const auto add = [&](int i, int64_t p) __attribute__((always_inline)) {
        const Vector distance = load(y + p * c + v) - middle;
        sums[i] += distance;
        squares[i] += distance * distance;
      };
      int64_t p = 0;
      for (; p + 4 <= n; p += 4) {
        add(0, p);
        add(1, p + 1);
        add(2, p + 2);
        add(3, p + 3);
      }
      for (; p < n; ++p) {
        add(0, p);
      }
      store(sum + v, load(sum + v) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
      store(square + v, load(square + v) + ((squares[0] + squares[1]) + (squares[2] + squares[3])));
    }
  }

  template <bool kGated>
  static void add_correlation_of(const T* g, const T* gate, const T* y, const T* centre, int64_t n,
                                 int64_t c, T* sum, T* product_sum) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector middle = load(centre + v);
      Vector sums[4] = {};
      Vector products[4] = {};
      const auto add = [&](int i, int64_t p) __attribute__((always_inline)) {
        const Vector gradient = Vectors<T, kLanes>::template load_gated<kGated>(g, gate, p * c + v);
        sums[i] += gradient;
        products[i] += gradient * (load(y + p * c + v) - middle);
      };
      int64_t p = 0;
      for (; p + 4 <= n; p += 4) {
        add(0, p);
        add(1, p + 1);
        add(2, p + 2);
        add(3, p + 3);
      }
      for (; p < n; ++p) {
        add(0, p);
      }
      store(sum + v, load(sum + v) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
      store(product_sum + v,
            load(product_sum + v) + ((products[0] + products[1]) + (products[2] + products[3])));
    }
  }

  static void add_correlation(const T* g, const T* gate, const T* y, const T* centre, int64_t n,
                              int64_t c, T* sum, T* product_sum) {
    const auto loop = gate != nullptr ? &add_correlation_of<true> : &add_correlation_of<false>;
    loop(g, gate, y, centre, n, c, sum, product_sum);
  }
};

}  // namespace
}  // namespace retia::kernels
