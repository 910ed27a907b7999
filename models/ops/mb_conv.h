#pragma once

#include "engine/ir/builder.h"

namespace retia {

struct MbConvOptions {
  Dim out = 0;        ///< channels; 0: as many as come in
  Dim kernel = 3;     ///< of the depthwise convolution, odd
  Dim stride = 1;     ///< of the depthwise convolution, decided
  Dim expansion = 6;  ///< channels inside per channel that comes in; 1: no expansion
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MbConvOptions, out, kernel, stride, expansion)

/// Writes the parts: `expand` (where there is an expansion), `depthwise` and `project`, each with
/// `…_bn` and but for the last `…_relu`, and `add` where the input is added.
Wire mb_conv_parts(Builder& builder, Wire x, const MbConvOptions& options);

namespace ops {
/// [C, H, W] -> [out, ceil(H / stride), ceil(W / stride)]: the inverted residual of MobileNetV2
/// (Sandler et al. 2018): pointwise convolution to `expansion * C` channels, depthwise convolution,
/// pointwise convolution to `out`, each normalised, the first two rectified by relu6; the input is
/// added where the shape stays.
ir::Operation mb_conv(const MbConvOptions& options = {});
}  // namespace ops

}  // namespace retia
