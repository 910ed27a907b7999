#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The options of ops::dil_conv.
struct DilConvOptions {
  Dim kernel = 3;    ///< height and width before dilation; padding keeps the image size
  Dim stride = 1;    ///< in both directions
  Dim dilation = 2;  ///< distance of the depthwise taps, in pixels
  ir::Parameter<bool> affine = true;  ///< trains a scale and shift in the batch normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DilConvOptions, kernel, stride, dilation, affine)

/// Writes the nodes `relu`, `depthwise`, `pointwise`, `bn`.
Wire dil_conv_parts(Builder& builder, Wire x, const DilConvOptions& options);

namespace ops {
/// Makes a relu, dilated depthwise and pointwise convolution, and batch normalisation (Liu et al.
/// 2019, DARTS): [C, H, W] → [C, ceil(H / stride), ceil(W / stride)] for odd kernels.
ir::Operation dil_conv(const DilConvOptions& options = {});
}  // namespace ops

}  // namespace retia
