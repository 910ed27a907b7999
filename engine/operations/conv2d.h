#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The sizes of a 2-d convolution.
struct Conv2dOptions {
  Dim out = 0;       ///< output channels; 0: as many as the input has
  Dim kernel = 3;    ///< height and width
  Dim stride = 1;    ///< in both directions
  Dim padding = -1;  ///< on each side; -1: half of the dilated kernel
  Dim dilation = 1;  ///< distance between the pixels that a kernel reads
  Dim groups = 1;    ///< groups of channels, which are convolved apart; divides C and out
  ir::Parameter<bool> depthwise = false;  ///< one group per channel; `groups` is then ignored
  ir::Parameter<bool> bias = false;  ///< whether a trained number is added to each output channel
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Conv2dOptions, out, kernel, stride, padding,
                                                dilation, groups, depthwise, bias)

namespace ops {
/// Makes a 2-d convolution, [C, H, W] → [out, H', W'] with
/// H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1.
/// Initial weights are drawn as PyTorch does: uniform within ±1/sqrt(fan in).
ir::Operation conv2d(const Conv2dOptions& options);
}  // namespace ops

}  // namespace retia
