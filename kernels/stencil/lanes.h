#pragma once

#include <cstdint>

namespace retia::kernels {

/// The number of pixels that a loop keeps in registers, a group. Tables of pixels are filled up to
/// whole groups.
constexpr int64_t kPixelGroup = 8;

/// The number of taps of a pool, 3 by 3.
constexpr int kPoolTaps = 9;

/// Arrays that will be read or written soon. Loops prefetch them while they compute.
template <class T>
struct Prefetch {
  static constexpr int64_t kMost = 8;  ///< largest number of arrays
  const T* arrays[kMost];              ///< first `n`: the arrays
  int64_t n;                           ///< number of arrays
  int64_t at;                          ///< offset of the next number to prefetch in each array
};

/// The inner loops of the CPU, over arrays of pixels of `c` channels each, c a multiple of
/// kPixelGroup. Tables (`from`, `to`, `taps`) hold offsets in numbers. Loops that take tables of
/// pixels to write run over n rounded up to whole groups. Pixels and taps go through a rectangle
/// row by row; tables of pixels repeat the last entry to fill the last group.
template <class T>
struct Lanes {
  /// dst[to[p]] = Σ_t weights[t] · src[from[p] + taps[t]], channel by channel.
  void (*stencil)(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                  const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c);
  /// dst[to[p]] += Σ_t weights[t] · src[from[p] + taps[t]], channel by channel.
  void (*add_stencil)(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                      const T* weights, T* dst, const int32_t* to, int64_t n, int64_t c);
  /// sum[i·kernel + j] += Σ_p src[from[p] + i·row + j·column] · g[g_from[p]]; kernel is 3, 5 or 7.
  void (*add_stencil_weights)(const T* src, const int32_t* from, int64_t row, int64_t column,
                              const T* g, const int32_t* g_from, int64_t n, int64_t c,
                              int64_t kernel, T* sum);
  /// dst[to[p]] = Σ_t src[from[p] + taps[t]] · weights[t], products of `in` numbers and a matrix,
  /// weights [taps, in, out]; prefetches n · out numbers of each array of `prefetch`.
  void (*product)(const T* src, const int32_t* from, const int32_t* taps, int64_t n_taps,
                  int64_t in, const T* weights, int64_t out, T* dst, const int32_t* to, int64_t n,
                  const Prefetch<T>& prefetch);
  /// sum[i · row + j] += Σ_p a[p, i] · b[from[p] + j], a [n, rows], j < columns.
  void (*add_outer)(const T* a, int64_t rows, const T* b, const int32_t* from, int64_t columns,
                    int64_t n, T* sum, int64_t row);
  /// dst[p] = max_t src[from[p] + taps[t]], NaN where one is NaN; prefetches n · c numbers of each
  /// array of `prefetch`.
  void (*maximum)(const T* src, const int32_t* from, const int32_t* taps, T* dst, int64_t n,
                  int64_t c, const Prefetch<T>& prefetch);
  /// dst[from[p] + taps[t]] += g[p] for the first t where src[from[p] + taps[t]] = most[p], channel
  /// by channel; nothing where most[p] is NaN.
  void (*add_at_maxima)(const T* g, const T* most, const T* src, const int32_t* from,
                        const int32_t* taps, T* dst, int64_t n, int64_t c);
  /// dst[to[p]] = src[p].
  void (*copy)(const T* src, T* dst, const int32_t* to, int64_t n, int64_t c);
  /// dst[to[p]] = factor[p] · src[p].
  void (*scale)(const T* src, const T* factor, T* dst, const int32_t* to, int64_t n, int64_t c);
  /// dst[to[p]] = max(0, factor · src[p] + shift).
  void (*rectify)(const T* src, const T* factor, const T* shift, T* dst, const int32_t* to,
                  int64_t n, int64_t c);
  /// dst[p] = y[from[p]] > 0 ? g[from[p]] : 0.
  void (*rectify_gradient)(const T* y, const T* g, const int32_t* from, T* dst, int64_t n,
                           int64_t c);
  /// dst[to[p]] += src[p · step].
  void (*add_to)(const T* src, int64_t step, T* dst, const int32_t* to, int64_t n, int64_t c);
  /// dst[p] += src[from[p]].
  void (*add_from)(const T* src, const int32_t* from, T* dst, int64_t n, int64_t c);
  /// dst[p] = a · g[p] + b · y[p] + shift. gate: null, or g[p] counts as 0 where gate[p] is not
  /// above 0.
  void (*affine)(const T* g, const T* gate, const T* a, const T* y, const T* b, const T* shift,
                 T* dst, int64_t n, int64_t c);
  /// dst[p] = shift + Σ_k factors[k] · y[k][p].
  void (*blend)(const T* const* y, const T* factors, int64_t n_inputs, const T* shift, T* dst,
                int64_t n, int64_t c);
  /// sum += Σ_p (y[p] − centre), square += Σ_p (y[p] − centre)².
  void (*add_moments)(const T* y, const T* centre, int64_t n, int64_t c, T* sum, T* square);
  /// sum += Σ_p g[p], product += Σ_p g[p] · (y[p] − centre). gate: as of affine.
  void (*add_correlation)(const T* g, const T* gate, const T* y, const T* centre, int64_t n,
                          int64_t c, T* sum, T* product);
};

/// Returns the loops, compiled for the instructions that the function is named after, for arrays of
/// `channels` channels. T is float or double.
template <class T>
Lanes<T> lanes_baseline(int64_t channels);
template <class T>
Lanes<T> lanes_avx2(int64_t channels);
template <class T>
Lanes<T> lanes_avx512(int64_t channels);

}  // namespace retia::kernels
