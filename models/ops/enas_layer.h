#pragma once

#include "engine/ir/builder.h"

namespace retia {

/// What a layer of the ENAS macro space does between its normalisations.
enum class EnasOperation {
  Conv,     ///< convolution
  SepConv,  ///< depthwise, then pointwise convolution
  Average,  ///< mean under the kernel, padding not counted
  Max       ///< largest value under the kernel
};

NLOHMANN_JSON_SERIALIZE_ENUM(EnasOperation, {{EnasOperation::Conv, "conv"},
                                             {EnasOperation::SepConv, "sep_conv"},
                                             {EnasOperation::Average, "average"},
                                             {EnasOperation::Max, "max"}})

struct EnasLayerOptions {
  EnasOperation operation = EnasOperation::Conv;
  Dim kernel = 3;  ///< height and width, odd; padded by its half
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasLayerOptions, operation, kernel)

/// Writes the parts: `relu1`, `squeeze` (pointwise), `bn1`, `relu2`, then `conv`, or `depthwise`
/// and `pointwise`, or `pool`, and `bn2`.
Wire enas_layer_parts(Builder& builder, Wire x, const EnasLayerOptions& options);

namespace ops {
/// [C, H, W] -> the same: rectifier, pointwise convolution, batch normalisation, rectifier, the
/// operation, batch normalisation (Pham et al. 2018, ENAS, macro search).
ir::Operation enas_layer(const EnasLayerOptions& options);
}  // namespace ops

}  // namespace retia
