#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The operation of a layer of the ENAS macro space, between its batch normalisations.
enum class EnasOperation {
  Conv,     ///< convolution
  SepConv,  ///< depthwise, then pointwise convolution
  Average,  ///< average pool, padding not counted
  Max       ///< max pool
};

NLOHMANN_JSON_SERIALIZE_ENUM(EnasOperation, {{EnasOperation::Conv, "conv"},
                                             {EnasOperation::SepConv, "sep_conv"},
                                             {EnasOperation::Average, "average"},
                                             {EnasOperation::Max, "max"}})

/// The options of ops::enas_layer.
struct EnasLayerOptions {
  EnasOperation operation = EnasOperation::Conv;  ///< operation between the batch normalisations
  Dim kernel = 3;                                 ///< height and width, odd; padded by half of it
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasLayerOptions, operation, kernel)

/// Writes the nodes `relu1`, `squeeze` (pointwise), `bn1`, `relu2`, then `conv`, or `depthwise` and
/// `pointwise`, or `pool`, and `bn2`.
Wire enas_layer_parts(Builder& builder, Wire x, const EnasLayerOptions& options);

namespace ops {
/// Makes a layer of the ENAS macro space (Pham et al. 2018), [C, H, W] → the same: relu, pointwise
/// convolution, batch normalisation, relu, the operation, batch normalisation.
ir::Operation enas_layer(const EnasLayerOptions& options);
}  // namespace ops

}  // namespace retia
