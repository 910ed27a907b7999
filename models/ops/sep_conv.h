#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The options of ops::sep_conv.
struct SepConvOptions {
  Dim kernel = 3;                     ///< height and width; padded by half of it
  Dim stride = 1;                     ///< stride of the first depthwise convolution
  ir::Parameter<bool> affine = true;  ///< trains a scale and shift in the batch normalisations
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SepConvOptions, kernel, stride, affine)

/// Writes the nodes `relu1`, `depthwise1`, `pointwise1`, `bn1`, and the same with 2.
Wire sep_conv_parts(Builder& builder, Wire x, const SepConvOptions& options);

namespace ops {
/// Makes a separable convolution (Liu et al. 2019, DARTS), [C, H, W] → [C, ceil(H / stride), ceil(W
/// / stride)] for odd kernels: relu, depthwise and pointwise convolution and batch normalisation,
/// all twice.
ir::Operation sep_conv(const SepConvOptions& options = {});
}  // namespace ops

}  // namespace retia
