#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The options of ops::mb_conv.
struct MbConvOptions {
  Dim out = 0;        ///< output channels; 0: as many as the input has
  Dim kernel = 3;     ///< height and width of the depthwise convolution, odd
  Dim stride = 1;     ///< stride of the depthwise convolution; must be decided
  Dim expansion = 6;  ///< inner channels per input channel; 1: no expansion
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MbConvOptions, out, kernel, stride, expansion)

/// Writes the nodes `expand` (if there is an expansion), `depthwise` and `project`, each with
/// `…_bn` and all but `project` with `…_relu`, and `add` where the input is added.
Wire mb_conv_parts(Builder& builder, Wire x, const MbConvOptions& options);

namespace ops {
/// Makes the inverted residual of MobileNetV2 (Sandler et al. 2018), [C, H, W] → [out, ceil(H /
/// stride), ceil(W / stride)]: a pointwise convolution to `expansion * C` channels, a depthwise
/// convolution and a pointwise convolution to `out`, each with batch normalisation, the first two
/// with relu6. The input is added where shapes are equal.
ir::Operation mb_conv(const MbConvOptions& options = {});
}  // namespace ops

}  // namespace retia
