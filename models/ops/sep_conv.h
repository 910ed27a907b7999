#pragma once

#include "engine/ir/builder.h"

namespace retia {

struct SepConvOptions {
  Dim kernel = 3;                     ///< height and width; padded by its half
  Dim stride = 1;                     ///< of the first of the two depthwise convolutions
  ir::Parameter<bool> affine = true;  ///< of the normalisations
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SepConvOptions, kernel, stride, affine)

/// Writes the parts: `relu1`, `depthwise1`, `pointwise1`, `bn1`, and the same with 2.
Wire sep_conv_parts(Builder& builder, Wire x, const SepConvOptions& options);

namespace ops {
/// [C, H, W] -> [C, ceil(H / stride), ceil(W / stride)] (odd kernels): rectifier, depthwise and
/// pointwise convolution, batch normalisation, all twice (Liu et al. 2019, DARTS).
ir::Operation sep_conv(const SepConvOptions& options = {});
}  // namespace ops

}  // namespace retia
