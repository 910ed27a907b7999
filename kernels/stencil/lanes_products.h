// Included by lanes_impl.h only, whose rule about names that may be used holds here too.
#pragma once

#include "retia/kernels/stencil/lanes_vectors.h"

namespace retia::kernels {
namespace {

/// The loops of Lanes for pointwise convolutions and the gradients of their weights.
template <class T, int kLanes>
struct ProductLoops : Vectors<T, kLanes> {
  using typename Vectors<T, kLanes>::Vector;
  using Vectors<T, kLanes>::request;
  using Vectors<T, kLanes>::load;
  using Vectors<T, kLanes>::store;

  // Sums of as many pixels (or rows) and columns as leave registers for what they multiply.
  static constexpr int kColumnsAtOnce = kRegisters == 32 ? 1 : 2;
  static constexpr int kRowsAtOnce = kRegisters == 32 ? 8 : 4;

  /// Computes kColumns vectors of columns of the product, from column v on, kPixels pixels at a
  /// time.
  template <int kColumns, int kPixels>
  static void product_of_columns(const T* src, const int32_t* from, const int32_t* taps,
                                 int64_t n_taps, int64_t in, const T* weights, int64_t out, T* dst,
                                 const int32_t* to, int64_t n, int64_t v,
                                 const Prefetch<T>& prefetch) {
    for (int64_t p = 0; p < n; p += kPixels) {
      request(prefetch, p * out + v, out, kPixels);
      Vector sum[kPixels][kColumns] = {};
      const T* row = weights + v;
      for (int64_t t = 0; t < n_taps; ++t) {
        const T* at[kPixels];
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i) {
          at[i] = src + from[p + i] + taps[t];
        }
        for (int64_t k = 0; k < in; ++k, row += out) {
          Vector weight[kColumns];
#pragma GCC unroll 8
          for (int j = 0; j < kColumns; ++j) {
            weight[j] = load(row + j * kLanes);
          }
#pragma GCC unroll 8
          for (int i = 0; i < kPixels; ++i) {
            const T value = at[i][k];
#pragma GCC unroll 8
            for (int j = 0; j < kColumns; ++j) {
              sum[i][j] += weight[j] * value;
            }
          }
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          store(dst + to[p + i] + v + j * kLanes, sum[i][j]);
        }
      }
    }
  }

  static void product(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                      int64_t in, const T* weights, int64_t out, T* dst, const int32_t* to,
                      int64_t n, const Prefetch<T>& prefetch) {
    int64_t v = 0;
    for (; v + kColumnsAtOnce * kLanes <= out; v += kColumnsAtOnce * kLanes) {
      product_of_columns<kColumnsAtOnce, kRowsAtOnce>(src, from, taps, n_taps, in, weights, out,
                                                      dst, to, n, v, prefetch);
    }
    if (v < out) {
      product_of_columns<1, kGroup>(src, from, taps, n_taps, in, weights, out, dst, to, n, v,
                                    prefetch);
    }
  }

  template <int kColumns, int kRows>
  static void add_outer_columns(const T* a, int64_t rows, const T* b, const int32_t* from,
                                int64_t n, T* sum, int64_t row) {
    for (int64_t r = 0; r < rows; r += kRows) {
      Vector sums[kRows][kColumns] = {};
      for (int64_t p = 0; p < n; ++p) {
        Vector value[kColumns];
#pragma GCC unroll 8
        for (int j = 0; j < kColumns; ++j) {
          value[j] = load(b + from[p] + j * kLanes);
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
          T* const total = sum + (r + i) * row + j * kLanes;
          store(total, load(total) + sums[i][j]);
        }
      }
    }
  }

  static void add_outer(const T* a, int64_t rows, const T* b, const int32_t* from, int64_t columns,
                        int64_t n, T* sum, int64_t row) {
    int64_t v = 0;
    for (; v + kColumnsAtOnce * kLanes <= columns; v += kColumnsAtOnce * kLanes) {
      add_outer_columns<kColumnsAtOnce, kRowsAtOnce>(a, rows, b + v, from, n, sum + v, row);
    }
    if (v < columns) {
      add_outer_columns<1, kGroup>(a, rows, b + v, from, n, sum + v, row);
    }
  }
};

}  // namespace
}  // namespace retia::kernels
