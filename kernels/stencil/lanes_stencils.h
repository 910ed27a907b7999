// Included by lanes_impl.h only, whose rule about names that may be used holds here too.
#pragma once

#include "retia/kernels/stencil/lanes_vectors.h"

namespace retia::kernels {
namespace {

/// The loops of Lanes for depthwise convolutions and their gradients.
template <class T, int kLanes>
struct StencilLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

  /// Adds the taps of kGroup outputs that lie anywhere to `sum`.
  static inline void add_taps(const T* src, const int32_t* from, const int32_t* taps,
                              int64_t n_taps, const T* weights, int64_t c, Vector* sum) {
    const T* at[kGroup];
#pragma GCC unroll 8
    for (int i = 0; i < kGroup; ++i) {
      at[i] = src + from[i];
    }
    for (int64_t t = 0; t < n_taps; ++t) {
      const Vector weight = load(weights + t * c);
      const int64_t tap = taps[t];
#pragma GCC unroll 8
      for (int i = 0; i < kGroup; ++i) {
        sum[i] += weight * load(at[i] + tap);
      }
    }
  }

  /// Adds the taps of kGroup outputs that lie kStep units apart to `sum`, by rows of kColumns taps
  /// kGap units apart. A vector that is loaded once serves every output that reads it.
  template <int kColumns, int kStep, int kGap>
  static inline void add_rows(const T* at, int64_t unit, const int32_t* taps, int64_t n_taps,
                              const T* weights, int64_t c, Vector* sum) {
    for (int64_t t = 0; t < n_taps; t += kColumns) {
      const T* const row = at + taps[t];
      constexpr int kSpan = (kGroup - 1) * kStep + (kColumns - 1) * kGap + 1;
      Vector value[kSpan];
#pragma GCC unroll 32
      for (int q = 0; q < kSpan; ++q) {
        value[q] = load(row + q * unit);
      }
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) {
        const Vector weight = load(weights + (t + j) * c);
#pragma GCC unroll 8
        for (int i = 0; i < kGroup; ++i) {
          sum[i] += weight * value[i * kStep + j * kGap];
        }
      }
    }
  }

  /// Runs over all pixels and channels. kColumns: number of taps in a row; 1: taps lie anywhere.
  template <bool kAdd, int kColumns, int kStep, int kGap>
  static void stencil_loop(const T* src, const int32_t* from, int64_t unit, const int32_t* taps,
                           int64_t n_taps, const T* weights, T* dst, const int32_t* to, int64_t n,
                           int64_t c) {
    for (int64_t v = 0; v < c; v += kLanes) {
      for (int64_t p = 0; p < n; p += kGroup) {
        Vector sum[kGroup];
#pragma GCC unroll 8
        for (int i = 0; i < kGroup; ++i) {
          sum[i] = kAdd ? load(dst + to[p + i] + v) : Vector{};
        }
        if (kColumns > 1 && lie_evenly(from + p, kGroup, kStep * unit)) {
          add_rows<kColumns, kStep, kGap>(src + from[p] + v, unit, taps, n_taps, weights + v, c,
                                          sum);
        } else {
          add_taps(src + v, from + p, taps, n_taps, weights + v, c, sum);
        }
#pragma GCC unroll 8
        for (int i = 0; i < kGroup; ++i) {
          store(dst + to[p + i] + v, sum[i]);
        }
      }
    }
  }

  /// Returns the number of taps in a row of the rectangle that the taps form; 1: they form none.
  static int64_t columns_of(const int32_t* taps, int64_t n_taps, int64_t gap) {
    int64_t columns = 1;
    while (columns < n_taps && taps[columns] - taps[columns - 1] == gap) {
      ++columns;
    }
    return columns > 1 && n_taps % columns == 0 ? columns : 1;
  }

  /// Returns the loop for outputs `step` and taps `gap` numbers apart; the general loop where there
  /// is no special one.
  template <bool kAdd>
  static auto loop_for(int64_t columns, int64_t step, int64_t gap) {
    if (step == gap) {
      return columns == 2   ? &stencil_loop<kAdd, 2, 1, 1>
             : columns == 3 ? &stencil_loop<kAdd, 3, 1, 1>
             : columns == 5 ? &stencil_loop<kAdd, 5, 1, 1>
             : columns == 7 ? &stencil_loop<kAdd, 7, 1, 1>
                            : &stencil_loop<kAdd, 1, 1, 1>;
    }
    if (2 * step == gap) {
      return columns == 3   ? &stencil_loop<kAdd, 3, 1, 2>
             : columns == 5 ? &stencil_loop<kAdd, 5, 1, 2>
                            : &stencil_loop<kAdd, 1, 1, 1>;
    }
    if (step == 2 * gap) {
      return columns == 3   ? &stencil_loop<kAdd, 3, 2, 1>
             : columns == 5 ? &stencil_loop<kAdd, 5, 2, 1>
             : columns == 7 ? &stencil_loop<kAdd, 7, 2, 1>
                            : &stencil_loop<kAdd, 1, 1, 1>;
    }
    return &stencil_loop<kAdd, 1, 1, 1>;
  }

  template <bool kAdd>
  static void any_stencil(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                          const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c) {
    const int64_t step = n > 0 ? from[1] - from[0] : 0;
    const int64_t gap = n_taps > 1 ? taps[1] - taps[0] : 0;
    const int64_t unit = step < gap ? step : gap;
    const int64_t columns = columns_of(taps, n_taps, gap);
    loop_for<kAdd>(columns, step, gap)(src, from, unit, taps, n_taps, weights, dst, to, n, c);
  }

  static void stencil(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                      const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c) {
    any_stencil<false>(src, from, taps, n_taps, weights, dst, to, n, c);
  }

  static void add_stencil(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                          const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c) {
    any_stencil<true>(src, from, taps, n_taps, weights, dst, to, n, c);
  }

  /// Adds to the gradients of kRows rows of a kernel of kKernel columns, with all sums in
  /// registers. A vector that is loaded once serves all of kPixels outputs that lie kStep units
  /// apart, with taps kGap units apart.
  template <int kKernel, int kRows, int kPixels, int kStep, int kGap>
  static void add_weights_of_rows(const T* src, const int32_t* from, int64_t row, int64_t column,
                                  const T* g, const int32_t* g_from, int64_t n, int64_t c, T* sum) {
    const int64_t unit = column / kGap;
    for (int64_t v = 0; v < c; v += kLanes) {
      Vector sums[kRows][kKernel] = {};
      for (int64_t p = 0; p < n;) {
        const T* const at = src + from[p] + v;
        if (kPixels > 1 && p + kPixels <= n && lie_evenly(from + p, kPixels, kStep * unit)) {
          Vector gradient[kPixels];
#pragma GCC unroll 8
          for (int i = 0; i < kPixels; ++i) {
            gradient[i] = load(g + g_from[p + i] + v);
          }
#pragma GCC unroll 32
          for (int q = 0; q <= (kPixels - 1) * kStep + (kKernel - 1) * kGap; ++q) {
#pragma GCC unroll 8
            for (int i = 0; i < kRows; ++i) {
              const Vector value = load(at + i * row + q * unit);
#pragma GCC unroll 8
              for (int j = 0; j < kKernel; ++j) {
                const int pixel = q - j * kGap;
                if (pixel >= 0 && pixel % kStep == 0 && pixel < kPixels * kStep) {
                  sums[i][j] += gradient[pixel / kStep] * value;
                }
              }
            }
          }
          p += kPixels;
          continue;
        }
        const Vector gradient = load(g + g_from[p] + v);
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
          for (int j = 0; j < kKernel; ++j) {
            sums[i][j] += gradient * load(at + i * row + j * column);
          }
        }
        ++p;
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

  /// Adds to the gradients of all rows of the kernel, kRows at a time.
  template <int kKernel, int kRows, int kPixels, int kStep, int kGap>
  static void add_weights(const T* src, const int32_t* from, int64_t row, int64_t column,
                          const T* g, const int32_t* g_from, int64_t n, int64_t c, T* sum) {
    constexpr int kWhole = kKernel / kRows * kRows;
    for (int i = 0; i < kWhole; i += kRows) {
      add_weights_of_rows<kKernel, kRows, kPixels, kStep, kGap>(
          src + i * row, from, row, column, g, g_from, n, c, sum + i * kKernel * c);
    }
    if constexpr (kWhole < kKernel) {
      add_weights_of_rows<kKernel, kKernel - kWhole, kPixels, kStep, kGap>(
          src + kWhole * row, from, row, column, g, g_from, n, c, sum + kWhole * kKernel * c);
    }
  }

  template <int kStep, int kGap>
  static void any_weights(const T* src, const int32_t* from, int64_t row, int64_t column,
                          const T* g, const int32_t* g_from, int64_t n, int64_t c, int64_t kernel,
                          T* sum) {
    // What several pixels share takes more than the 16 registers of AVX2.
    constexpr bool kShare = kRegisters == 32;
    if (kernel == 3) {
      add_weights<3, 3, kShare ? 8 : 1, kStep, kGap>(src, from, row, column, g, g_from, n, c, sum);
    } else if (kernel == 5) {
      add_weights<5, kShare ? 5 : 2, kShare ? 4 : 1, kStep, kGap>(src, from, row, column, g, g_from,
                                                                  n, c, sum);
    } else {
      add_weights<7, kShare ? 3 : 2, kShare ? 4 : 1, kStep, kGap>(src, from, row, column, g, g_from,
                                                                  n, c, sum);
    }
  }

  static void add_stencil_weights(const T* src, const int32_t* from, int64_t row, int64_t column,
                                  const T* g, const int32_t* g_from, int64_t n, int64_t c,
                                  int64_t kernel, T* sum) {
    const int64_t step = n > 1 ? from[1] - from[0] : 0;
    const auto add = step == 2 * column   ? &any_weights<2, 1>
                     : 2 * step == column ? &any_weights<1, 2>
                                          : &any_weights<1, 1>;
    add(src, from, row, column, g, g_from, n, c, kernel, sum);
  }
};

}  // namespace
}  // namespace retia::kernels
