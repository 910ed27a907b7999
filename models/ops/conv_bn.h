#pragma once

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/conv2d.h"

namespace retia {

/// The position of the relu in a block.
enum class ReluPlace { None, Before, After };

NLOHMANN_JSON_SERIALIZE_ENUM(ReluPlace, {{ReluPlace::None, "none"},
                                         {ReluPlace::Before, "before"},
                                         {ReluPlace::After, "after"}})

/// The options of ops::conv_bn.
struct ConvBnOptions {
  Dim out = 0;                        ///< output channels; 0: as many as the input has
  Dim kernel = 3;                     ///< height and width; padded by half of it
  Dim stride = 1;                     ///< in both directions
  ReluPlace relu = ReluPlace::None;   ///< before the convolution or after the normalisation
  ir::Parameter<bool> affine = true;  ///< trains a scale and shift in the batch normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ConvBnOptions, out, kernel, stride, relu, affine)

/// Writes the nodes `conv`, `bn` and, unless None, `relu`.
Wire conv_bn_parts(Builder& builder, Wire x, const ConvBnOptions& options);

/// Writes a convolution `name` of `x` and its normalisation `name`_bn. Returns the normalised
/// output.
Wire convolved(Builder& builder, Wire x, const std::string& name, const Conv2dOptions& options);

namespace ops {
/// Makes a convolution and batch normalisation, with a relu before, after, or none: [C, H, W] →
/// [out, ceil(H / stride), ceil(W / stride)] for odd kernels.
ir::Operation conv_bn(const ConvBnOptions& options);
}  // namespace ops

}  // namespace retia
