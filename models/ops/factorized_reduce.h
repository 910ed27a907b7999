#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The options of ops::factorized_reduce.
struct FactorizedReduceOptions {
  Dim out = 0;                        ///< output channels; 0: as many as the input has
  ir::Parameter<bool> affine = true;  ///< trains a scale and shift in the batch normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FactorizedReduceOptions, out, affine)

/// Writes the nodes `relu`, `even`, `shift`, `odd`, `concat`, `bn`.
Wire factorized_reduce_parts(Builder& builder, Wire x, const FactorizedReduceOptions& options);

namespace ops {
/// Makes a factorized reduction (Liu et al. 2019, DARTS), [C, H, W] → [out, ceil(H / 2), ceil(W /
/// 2)]: relu, two pointwise convolutions of stride 2, the second shifted by one pixel,
/// concatenation and batch normalisation. With odd `out` the first convolution makes the smaller
/// half.
ir::Operation factorized_reduce(const FactorizedReduceOptions& options = {});
}  // namespace ops

}  // namespace retia
