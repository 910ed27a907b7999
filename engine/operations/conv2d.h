#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct Conv2dOptions {
  Dim out = 0;       ///< channels; 0: as many as come in
  Dim kernel = 3;    ///< height and width
  Dim stride = 1;    ///< of both directions
  Dim padding = -1;  ///< of each side; -1: half of the dilated kernel
  Dim dilation = 1;
  Dim groups = 1;
  ir::Parameter<bool> depthwise = false;  ///< one group per channel, whatever `groups` says
  ir::Parameter<bool> bias = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Conv2dOptions, out, kernel, stride, padding,
                                                dilation, groups, depthwise, bias)

namespace ops {
/// [C, H, W] -> [out, H', W'], H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1.
/// Weights are drawn as PyTorch does: uniform within 1/sqrt(fan in).
ir::Operation conv2d(const Conv2dOptions& options);
}  // namespace ops

}  // namespace retia
