#pragma once

#include <cstdint>

namespace retia::kernels {

/// Columns of the table of draws: one row an image, every draw made beforehand on the host.
enum AugmentDraw : int64_t {
  kShiftDown,     ///< output row y shows row y + this; rows outside show the pixel value 0
  kShiftRight,    ///< likewise for columns, before mirroring
  kMirror,        ///< not 0: the output is mirrored left to right
  kCutoutRow,     ///< centre of the cut-out square, in rows of the output
  kCutoutColumn,  ///< likewise in columns
  kAugmentDraws,
};

}  // namespace retia::kernels
