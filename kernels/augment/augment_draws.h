#pragma once

#include <cstdint>

namespace retia::kernels {

/// The columns of the table of draws. The table has one row per image; the host makes all draws
/// beforehand.
enum AugmentDraw : int64_t {
  kShiftDown,     ///< d: output row y shows row y + d; rows outside show the pixel value 0
  kShiftRight,    ///< d: output column x shows column x + d, before mirroring
  kMirror,        ///< not 0: the output is mirrored left to right
  kCutoutRow,     ///< centre of the cut-out square, in rows of the output
  kCutoutColumn,  ///< centre of the cut-out square, in columns of the output
  kAugmentDraws,  ///< number of columns of the table
};

}  // namespace retia::kernels
