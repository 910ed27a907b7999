#pragma once

#include "engine/ir/builder.h"

namespace retia {

/// Where a block applies its rectifier.
enum class ReluPlace { None, Before, After };

NLOHMANN_JSON_SERIALIZE_ENUM(ReluPlace, {{ReluPlace::None, "none"},
                                         {ReluPlace::Before, "before"},
                                         {ReluPlace::After, "after"}})

struct ConvBnOptions {
  Dim out = 0;                        ///< channels; 0: as many as come in
  Dim kernel = 3;                     ///< height and width; padded by its half
  Dim stride = 1;                     ///< of both directions
  ReluPlace relu = ReluPlace::None;   ///< before the convolution or after the normalisation
  ir::Parameter<bool> affine = true;  ///< of the normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ConvBnOptions, out, kernel, stride, relu, affine)

/// Writes the parts: `conv`, `bn` and, where there is one, `relu`.
Wire conv_bn_parts(Builder& builder, Wire x, const ConvBnOptions& options);

namespace ops {
/// [C, H, W] -> [out, ceil(H / stride), ceil(W / stride)] (odd kernels): convolution and batch
/// normalisation, with a rectifier before, after, or none.
ir::Operation conv_bn(const ConvBnOptions& options);
}  // namespace ops

}  // namespace retia
