#pragma once

#include "engine/ir/builder.h"

namespace retia {

/// What a pooling keeps of the values under its kernel.
enum class Pooling { Max, Average };

NLOHMANN_JSON_SERIALIZE_ENUM(Pooling, {{Pooling::Max, "max"}, {Pooling::Average, "average"}})

struct PoolBnOptions {
  Pooling pooling = Pooling::Max;
  Dim kernel = 3;                     ///< height and width; padded by its half
  Dim stride = 1;                     ///< of both directions
  ir::Parameter<bool> affine = true;  ///< of the normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PoolBnOptions, pooling, kernel, stride, affine)

/// Writes the parts: `pool`, `bn`.
Wire pool_bn_parts(Builder& builder, Wire x, const PoolBnOptions& options);

namespace ops {
/// [C, H, W] -> [C, ceil(H / stride), ceil(W / stride)] (odd kernels): largest value or mean
/// (padding not counted) under the kernel, batch normalisation.
ir::Operation pool_bn(const PoolBnOptions& options);
}  // namespace ops

}  // namespace retia
