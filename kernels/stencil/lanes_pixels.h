// Included by lanes_impl.h only, whose rule about names that may be used holds here too.
#pragma once

#include "retia/kernels/stencil/lanes_vectors.h"

namespace retia::kernels {
namespace {

/// The loops of Lanes that treat each pixel by itself.
template <class T, int kLanes>
struct PixelLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

  static void copy(const T* src, T* dst, const int32_t* to, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        store(dst + to[p] + v, load(src + p * c + v));
      }
    }
  }

  static void scale(const T* src, const T* factor, T* dst, const int32_t* to, int64_t n,
                    int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        store(dst + to[p] + v, load(src + p * c + v) * factor[p]);
      }
    }
  }

  static void rectify(const T* src, const T* factor, const T* shift, T* dst, const int32_t* to,
                      int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector a = load(factor + v);
      const Vector b = load(shift + v);
      for (int64_t p = 0; p < n; ++p) {
        const Vector y = a * load(src + p * c + v) + b;
        store(dst + to[p] + v, y < Vector{} ? Vector{} : y);
      }
    }
  }

  static void rectify_gradient(const T* y, const T* g, const int32_t* from, T* dst, int64_t n,
                               int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        const Vector gradient = load(g + from[p] + v);
        store(dst + p * c + v, load(y + from[p] + v) > Vector{} ? gradient : Vector{});
      }
    }
  }

  static void add_to(const T* src, int64_t step, T* dst, const int32_t* to, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        T* const sum = dst + to[p] + v;
        store(sum, load(sum) + load(src + p * step + v));
      }
    }
  }

  static void add_from(const T* src, const int32_t* from, T* dst, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; ++p) {
        T* const sum = dst + p * c + v;
        store(sum, load(sum) + load(src + from[p] + v));
      }
    }
  }

  template <bool kGated>
  static void affine_of(const T* g, const T* gate, const T* a, const T* y, const T* b,
                        const T* shift, T* dst, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector of_g = load(a + v);
      const Vector of_y = load(b + v);
      const Vector start = load(shift + v);
      for (int64_t p = 0; p < n; ++p) {
        const Vector gradient = Vectors<T, kLanes>::template load_gated<kGated>(g, gate, p * c + v);
        store(dst + p * c + v, of_g * gradient + (of_y * load(y + p * c + v) + start));
      }
    }
  }

  static void affine(const T* g, const T* gate, const T* a, const T* y, const T* b, const T* shift,
                     T* dst, int64_t n, int64_t c) {
    const auto loop = gate != nullptr ? &affine_of<true> : &affine_of<false>;
    loop(g, gate, a, y, b, shift, dst, n, c);
  }

  template <int kPixels>
  static inline void blend_pixels(const T* const* y, const T* factors, int64_t n_inputs,
                                  Vector start, T* dst, int64_t at, int64_t v, int64_t c) {
    Vector sum[kPixels];
#pragma GCC unroll 8
    for (int i = 0; i < kPixels; ++i) {
      sum[i] = start;
    }
    for (int64_t k = 0; k < n_inputs; ++k) {
      const Vector factor = load(factors + k * c + v);
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) {
        sum[i] += factor * load(y[k] + at + i * c + v);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kPixels; ++i) {
      store(dst + at + i * c + v, sum[i]);
    }
  }

  static void blend(const T* const* y, const T* factors, int64_t n_inputs, const T* shift, T* dst,
                    int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector start = load(shift + v);
      int64_t p = 0;
      for (; p + kGroup <= n; p += kGroup) {
        blend_pixels<kGroup>(y, factors, n_inputs, start, dst, p * c, v, c);
      }
      for (; p < n; ++p) {
        blend_pixels<1>(y, factors, n_inputs, start, dst, p * c, v, c);
      }
    }
  }
};

}  // namespace
}  // namespace retia::kernels
