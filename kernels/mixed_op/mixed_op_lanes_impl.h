// Included once by each file that compiles these loops for a set of instructions. Only what is in
// the anonymous namespace may be used: an inline function of the standard library would be shared
// with files that are compiled for older processors.
#include "kernels/mixed_op/mixed_op_lanes.h"

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

/// The loops on vectors of kLanes channels.
template <class T, int kLanes>
struct Loops {
  typedef T Vector __attribute__((vector_size(kLanes * sizeof(T))));

  static inline Vector load(const T* from) {
    Vector vector;
    __builtin_memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static inline void store(T* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }

  template <bool kAdd>
  static void stencil_loop(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                           const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; p += kGroup) {
        const T* at[kGroup];
        Vector sum[kGroup];
#pragma GCC unroll 8
        for (int i = 0; i < kGroup; ++i) {
          at[i] = src + from[p + i] + v;
          sum[i] = kAdd ? load(dst + to[p + i] + v) : Vector{};
        }
        for (int64_t t = 0; t < n_taps; ++t) {
          const Vector weight = load(weights + t * c + v);
          const int64_t tap = taps[t];
#pragma GCC unroll 8
          for (int i = 0; i < kGroup; ++i) {
            sum[i] += weight * load(at[i] + tap);
          }
        }
#pragma GCC unroll 8
        for (int i = 0; i < kGroup; ++i) {
          store(dst + to[p + i] + v, sum[i]);
        }
      }
    }
  }

  static void stencil(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                      const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c) {
    stencil_loop<false>(src, from, taps, n_taps, weights, dst, to, n, c);
  }

  static void add_stencil(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                          const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c) {
    stencil_loop<true>(src, from, taps, n_taps, weights, dst, to, n, c);
  }

  /// kRows rows of a kernel of kKernel columns, all their sums in registers.
  template <int kKernel, int kRows>
  static void add_weights_of_rows(const T* src, const int32_t* from, int64_t row, int64_t column,
                                  const T* g, const int32_t* g_from, int64_t n, int64_t c, T* sum) {
    for (int64_t v = 0; v < c; v += kLanes) {
      Vector sums[kRows][kKernel] = {};
      for (int64_t p = 0; p < n; ++p) {
        const T* const at = src + from[p] + v;
        const Vector gradient = load(g + g_from[p] + v);
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
          for (int j = 0; j < kKernel; ++j) {
            sums[i][j] += gradient * load(at + i * row + j * column);
          }
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kKernel; ++j) {
          T* const total = sum + (i * kKernel + j) * c + v;
          store(total, load(total) + sums[i][j]);
        }
      }
    }
  }

  static void add_stencil_weights(const T* src, const int32_t* from, int64_t row, int64_t column,
                                  const T* g, const int32_t* g_from, int64_t n, int64_t c,
                                  int64_t kernel, T* sum) {
    if (kernel == 3) {
      add_weights_of_rows<3, 3>(src, from, row, column, g, g_from, n, c, sum);
    } else if (kRegisters > 25) {
      add_weights_of_rows<5, 5>(src, from, row, column, g, g_from, n, c, sum);
    } else {
      add_weights_of_rows<5, 2>(src, from, row, column, g, g_from, n, c, sum);
      add_weights_of_rows<5, 2>(src + 2 * row, from, row, column, g, g_from, n, c, sum + 10 * c);
      add_weights_of_rows<5, 1>(src + 4 * row, from, row, column, g, g_from, n, c, sum + 20 * c);
    }
  }

  /// kColumns vectors of the product's columns, kPixels pixels at a time.
  template <int kColumns, int kPixels>
  static void product_of_columns(const T* src, int64_t in, const T* weights, int64_t out, T* dst,
                                 const int32_t* to, int64_t n) {
    for (int64_t p = 0; p < n; p += kPixels) {
      Vector sum[kPixels][kColumns] = {};
      for (int64_t k = 0; k < in; ++k) {
        Vector weight[kColumns];
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          weight[j] = load(weights + k * out + j * kLanes);
        }
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i) {
          const T value = src[(p + i) * in + k];
#pragma GCC unroll 8
          for (int j = 0; j < kColumns; ++j) {
            sum[i][j] += weight[j] * value;
          }
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          store(dst + to[p + i] + j * kLanes, sum[i][j]);
        }
      }
    }
  }

  static void product(const T* src, int64_t in, const T* weights, int64_t out, T* dst,
                      const int32_t* to, int64_t n) {
    int64_t v = 0;
    for (; v + 2 * kLanes <= out; v += 2 * kLanes) {
      product_of_columns<2, kRegisters / 4>(src, in, weights + v, out, dst + v, to, n);
    }
    if (v < out) {
      product_of_columns<1, kGroup>(src, in, weights + v, out, dst + v, to, n);
    }
  }

  template <int kColumns, int kRows>
  static void add_outer_columns(const T* a, int64_t rows, const T* b, int64_t columns, int64_t n,
                                T* sum) {
    for (int64_t r = 0; r < rows; r += kRows) {
      Vector sums[kRows][kColumns] = {};
      for (int64_t p = 0; p < n; ++p) {
        Vector value[kColumns];
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          value[j] = load(b + p * columns + j * kLanes);
        }
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
          const T factor = a[p * rows + r + i];
#pragma GCC unroll 8
          for (int j = 0; j < kColumns; ++j) {
            sums[i][j] += value[j] * factor;
          }
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          T* const total = sum + (r + i) * columns + j * kLanes;
          store(total, load(total) + sums[i][j]);
        }
      }
    }
  }

  static void add_outer(const T* a, int64_t rows, const T* b, int64_t columns, int64_t n, T* sum) {
    int64_t v = 0;
    for (; v + 2 * kLanes <= columns; v += 2 * kLanes) {
      add_outer_columns<2, kRegisters / 4>(a, rows, b + v, columns, n, sum + v);
    }
    if (v < columns) {
      add_outer_columns<1, kGroup>(a, rows, b + v, columns, n, sum + v);
    }
  }

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

  static void affine(const T* g, const T* a, const T* y, const T* b, const T* shift, T* dst,
                     int64_t n, int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector of_g = load(a + v);
      const Vector of_y = load(b + v);
      const Vector start = load(shift + v);
      for (int64_t p = 0; p < n; ++p) {
        store(dst + p * c + v, of_g * load(g + p * c + v) + (of_y * load(y + p * c + v) + start));
      }
    }
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

  static void add_correlation(const T* g, const T* y, const T* centre, int64_t n, int64_t c, T* sum,
                              T* product_sum) {
    for (int64_t v = 0; v < c; v += kLanes) {
      const Vector middle = load(centre + v);
      Vector sums[4] = {};
      Vector products[4] = {};
      const auto add = [&](int i, int64_t p) __attribute__((always_inline)) {
        const Vector gradient = load(g + p * c + v);
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

  static MixedOpLanes<T> table() {
    return {.stencil = &stencil,
            .add_stencil = &add_stencil,
            .add_stencil_weights = &add_stencil_weights,
            .product = &product,
            .add_outer = &add_outer,
            .maximum = &maximum,
            .maximum_and_places = &maximum_and_places,
            .add_at_places = &add_at_places,
            .copy = &copy,
            .scale = &scale,
            .rectify = &rectify,
            .rectify_gradient = &rectify_gradient,
            .add_to = &add_to,
            .add_from = &add_from,
            .affine = &affine,
            .blend = &blend,
            .add_moments = &add_moments,
            .add_correlation = &add_correlation};
  }
};

/// The loops on the widest vectors that divide `channels`.
template <class T>
MixedOpLanes<T> lanes(int64_t channels) {
  constexpr int kLanes = kWidestBytes / static_cast<int>(sizeof(T));
  if constexpr (kLanes > kGroup) {
    if (channels % kLanes != 0) {
      return Loops<T, kGroup>::table();
    }
  }
  return Loops<T, kLanes>::table();
}

}  // namespace
}  // namespace retia::kernels
