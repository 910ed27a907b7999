// Seen only through mixed_op_lanes_impl.h, whose rule on what may be used holds here too.
#pragma once

#include "kernels/mixed_op/mixed_op_lanes_vectors.h"

namespace retia::kernels {
namespace {

/// Depthwise convolutions and their gradients.
template <class T, int kLanes>
struct StencilLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

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

  /// All rows of the kernel, kRows at a time.
  template <int kKernel, int kRows>
  static void add_weights(const T* src, const int32_t* from, int64_t row, int64_t column,
                          const T* g, const int32_t* g_from, int64_t n, int64_t c, T* sum) {
    constexpr int kWhole = kKernel / kRows * kRows;
    for (int i = 0; i < kWhole; i += kRows) {
      add_weights_of_rows<kKernel, kRows>(src + i * row, from, row, column, g, g_from, n, c,
                                          sum + i * kKernel * c);
    }
    if constexpr (kWhole < kKernel) {
      add_weights_of_rows<kKernel, kKernel - kWhole>(src + kWhole * row, from, row, column, g,
                                                     g_from, n, c, sum + kWhole * kKernel * c);
    }
  }

  static void add_stencil_weights(const T* src, const int32_t* from, int64_t row, int64_t column,
                                  const T* g, const int32_t* g_from, int64_t n, int64_t c,
                                  int64_t kernel, T* sum) {
    if (kernel == 3) {
      add_weights_of_rows<3, 3>(src, from, row, column, g, g_from, n, c, sum);
    } else if (kernel == 5) {
      add_weights<5, kRegisters / 6>(src, from, row, column, g, g_from, n, c, sum);
    } else {
      add_weights<7, kRegisters / 8>(src, from, row, column, g, g_from, n, c, sum);
    }
  }
};

}  // namespace
}  // namespace retia::kernels
