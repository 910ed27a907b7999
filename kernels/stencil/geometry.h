#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "retia/kernels/stencil/lanes.h"
#include "retia/kernels/stencil/numbers.h"

namespace retia::kernels {

/// Offsets of pixels in numbers, filled up to whole groups.
using Offsets = std::vector<int32_t>;

/// The way that a pass goes through a network.
enum class Way { Forward, Backward };

/// An image of `c` channels side by side with a border of zeros all around, and a spare pixel
/// behind it for writes that nobody reads.
struct Tile {
  int64_t height = 0, width = 0, border = 0, c = 0;

  int64_t row() const { return (width + 2 * border) * c; }
  int64_t spare() const { return (height + 2 * border) * row(); }
  int64_t size() const { return spare() + c; }
  int64_t at(int64_t y, int64_t x) const { return (y + border) * row() + (x + border) * c; }
};

/// The pixels of an image from `first` to before `end`, row by row.
struct Pixels {
  int64_t first = 0, end = 0;

  int64_t n() const { return end - first; }
};

/// A tap of a square kernel, counted from its middle.
struct Tap {
  int64_t y, x;
};
std::vector<Tap> taps_of(int64_t kernel, int64_t dilation);

/// Pixels of the input whose gradients come through the same taps: those of one remainder by the
/// stride in both directions.
struct Phase {
  int64_t y, x, n;
  int64_t stride, width;  ///< of the image; of a row of these pixels
  Offsets from;           ///< in the tile of outputs
  Offsets to;             ///< in the tile of inputs

  /// Returns which of these pixels lie in rows [first, end) of the image, from the beginning of a
  /// whole group on.
  Pixels of_rows(int64_t first, int64_t end) const {
    const auto before = [&](int64_t row) {
      return std::min(std::max<int64_t>(row - y + stride - 1, 0) / stride * width, n);
    };
    return {before(first) / kPixelGroup * kPixelGroup, before(end)};
  }
};

/// How outputs of stride `stride` lie over an image.
struct Geometry {
  Geometry(int64_t height, int64_t width, int64_t border, int64_t stride, int64_t c);

  Tile in, out;
  int64_t stride, n_in, n_out;
  int64_t n_out_whole;        ///< n_out rounded up to whole groups
  Offsets centres;            ///< in the tile of inputs, of each output
  Offsets in_read, in_write;  ///< of each input
  Offsets out_write;          ///< of each output, in the tile of outputs
  Offsets out_read;
  Offsets flat;  ///< of each output (or input) in an array without border
  std::vector<Phase> phases;
};

/// The taps of a stencil that carry gradients to a phase.
template <class T>
struct PhaseTaps {
  Offsets taps;
  Numbers<T> weights;
};

/// Returns the taps that carry gradients back to `phase` of what a stencil of these `taps` read.
/// stencil: [taps, c].
template <class T>
PhaseTaps<T> taps_through(const Phase& phase, const Geometry& geometry,
                          const std::vector<Tap>& taps, const Numbers<T>& stencil);

/// Returns depthwise weights [C, 1, k, k] as [taps, c].
template <class T>
Numbers<T> pack_stencil(const at::Tensor& weight, int64_t c);

/// Returns the loops for the best instructions that ATen uses here (ATEN_CPU_CAPABILITY asks for
/// less).
template <class T>
Lanes<T> best_lanes(int64_t channels);

}  // namespace retia::kernels
