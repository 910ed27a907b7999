#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "retia/kernels/stencil/lanes.h"
#include "retia/kernels/stencil/numbers.h"

namespace retia::kernels {

/// Offsets of pixels, counted in numbers, filled up to whole groups of kPixelGroup.
using Offsets = std::vector<int32_t>;

/// The direction in which a pass goes through a network.
enum class Way { Forward, Backward };

/// An image [height, width, c] within a border of zeros, followed by a spare pixel for writes that
/// nobody reads.
struct Tile {
  int64_t height = 0, width = 0;  ///< sizes of the image in pixels, without the border
  int64_t border = 0;             ///< width of the border in pixels
  int64_t c = 0;                  ///< channels

  /// Returns the distance of two rows, in numbers.
  int64_t row() const { return (width + 2 * border) * c; }
  /// Returns the offset of the spare pixel.
  int64_t spare() const { return (height + 2 * border) * row(); }
  /// Returns the number of numbers, spare pixel included.
  int64_t size() const { return spare() + c; }
  /// Returns the offset of pixel [y, x] of the image.
  int64_t at(int64_t y, int64_t x) const { return (y + border) * row() + (x + border) * c; }
};

/// The pixels [first, end) of an image, counted row by row.
struct Pixels {
  int64_t first = 0, end = 0;

  int64_t n() const { return end - first; }
};

/// A tap of a square kernel, as the distance in pixels from the kernel's middle.
struct Tap {
  int64_t y, x;
};
/// Returns the taps of a kernel, row by row. kernel: height and width, odd.
std::vector<Tap> taps_of(int64_t kernel, int64_t dilation);

/// The pixels of the input whose gradients come through the same taps: pixels with the same
/// remainder by the stride in both directions.
struct Phase {
  int64_t y, x;    ///< remainders: row and column of the first pixel
  int64_t n;       ///< number of pixels
  int64_t stride;  ///< stride of the outputs
  int64_t width;   ///< number of pixels of the phase in a row
  Offsets from;    ///< of each pixel, the offset in the tile of outputs from which taps count
  Offsets to;      ///< of each pixel, its offset in the tile of inputs

  /// Returns the pixels of the phase that lie in rows [first, end) of the image, from the beginning
  /// of a whole group on.
  Pixels of_rows(int64_t first, int64_t end) const {
    const auto before = [&](int64_t row) {
      return std::min(std::max<int64_t>(row - y + stride - 1, 0) / stride * width, n);
    };
    return {before(first) / kPixelGroup * kPixelGroup, before(end)};
  }
};

/// The tiles of inputs and outputs of a stencil, with tables of the offsets of their pixels.
struct Geometry {
  /// height, width: of the input, in pixels. border: of both tiles. c: channels of both tiles.
  Geometry(int64_t height, int64_t width, int64_t border, int64_t stride, int64_t c);

  Tile in, out;         ///< inputs, outputs
  int64_t stride;       ///< distance between inputs at which outputs lie
  int64_t n_in, n_out;  ///< number of inputs, of outputs
  int64_t n_out_whole;  ///< n_out rounded up to whole groups
  // Entries beyond the last pixel repeat it in tables to read, and are the spare pixel in tables to
  // write.
  Offsets centres;    ///< of each output, the offset of the kernel's middle in the tile of inputs
  Offsets in_read;    ///< of each input, its offset in the tile of inputs, to read
  Offsets in_write;   ///< of each input, its offset in the tile of inputs, to write
  Offsets out_write;  ///< of each output, its offset in the tile of outputs, to write
  Offsets out_read;   ///< of each output, its offset in the tile of outputs, to read
  Offsets flat;       ///< of each pixel, its offset in an array without border
  std::vector<Phase> phases;  ///< all phases, row by row
};

/// The taps of a stencil that carry gradients of outputs back to the inputs of one phase.
template <class T>
struct PhaseTaps {
  Offsets taps;        ///< offsets in the tile of outputs, counted from Phase::from
  Numbers<T> weights;  ///< weights of these taps, [taps, c]
};
/// Returns the taps that carry gradients back to `phase`. taps, stencil: the taps of the stencil in
/// the forward pass, and their weights, [taps, c].
template <class T>
PhaseTaps<T> taps_through(const Phase& phase, const Geometry& geometry,
                          const std::vector<Tap>& taps, const Numbers<T>& stencil);

/// Returns depthwise weights [C, 1, k, k] as [taps, c], with zeros for channels from C on.
template <class T>
Numbers<T> pack_stencil(const at::Tensor& weight, int64_t c);

/// Returns the loops for the best instructions that ATen uses on this machine; the environment
/// variable ATEN_CPU_CAPABILITY asks for fewer. channels: as of Lanes.
template <class T>
Lanes<T> best_lanes(int64_t channels);

}  // namespace retia::kernels
