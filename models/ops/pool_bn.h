#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The kind of pooling.
enum class Pooling { Max, Average };

NLOHMANN_JSON_SERIALIZE_ENUM(Pooling, {{Pooling::Max, "max"}, {Pooling::Average, "average"}})

/// The options of ops::pool_bn.
struct PoolBnOptions {
  Pooling pooling = Pooling::Max;     ///< maximum or mean of the window
  Dim kernel = 3;                     ///< height and width; padded by half of it
  Dim stride = 1;                     ///< in both directions
  ir::Parameter<bool> affine = true;  ///< trains a scale and shift in the batch normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PoolBnOptions, pooling, kernel, stride, affine)

/// Writes the nodes `pool` and `bn`.
Wire pool_bn_parts(Builder& builder, Wire x, const PoolBnOptions& options);

namespace ops {
/// Makes a max or average pool (padding not counted) and batch normalisation, [C, H, W] → [C,
/// ceil(H / stride), ceil(W / stride)] for odd kernels.
ir::Operation pool_bn(const PoolBnOptions& options);
}  // namespace ops

}  // namespace retia
