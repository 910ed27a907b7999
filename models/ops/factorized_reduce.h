#pragma once

#include "engine/ir/builder.h"

namespace retia {

struct FactorizedReduceOptions {
  Dim out = 0;                        ///< channels; 0: as many as come in
  ir::Parameter<bool> affine = true;  ///< of the normalisation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FactorizedReduceOptions, out, affine)

/// Writes the parts: `relu`, `even`, `shift`, `odd`, `concat`, `bn`.
Wire factorized_reduce_parts(Builder& builder, Wire x, const FactorizedReduceOptions& options);

namespace ops {
/// [C, H, W] -> [out, ceil(H / 2), ceil(W / 2)]: rectifier, two pointwise convolutions of stride 2,
/// the second one pixel further down and right, joined, batch normalisation (Liu et al. 2019,
/// DARTS). The first makes the smaller half of an odd number of channels.
ir::Operation factorized_reduce(const FactorizedReduceOptions& options = {});
}  // namespace ops

}  // namespace retia
