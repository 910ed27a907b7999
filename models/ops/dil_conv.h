#pragma once

#include "engine/ir/builder.h"

namespace retia {

struct DilConvOptions {
  Dim kernel = 3;  ///< height and width before dilation; padding keeps the size
  Dim stride = 1;  ///< of both directions
  Dim dilation = 2;
  ir::Parameter<bool> affine = true;  ///< of the normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DilConvOptions, kernel, stride, dilation, affine)

/// Writes the parts: `relu`, `depthwise`, `pointwise`, `bn`.
Wire dil_conv_parts(Builder& builder, Wire x, const DilConvOptions& options);

namespace ops {
/// [C, H, W] -> [C, ceil(H / stride), ceil(W / stride)] (odd kernels): rectifier, dilated depthwise
/// and pointwise convolution, batch normalisation (Liu et al. 2019, DARTS).
ir::Operation dil_conv(const DilConvOptions& options = {});
}  // namespace ops

}  // namespace retia
