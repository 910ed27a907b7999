#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The parameters of layer normalisation.
struct LayerNormOptions {
  ir::Parameter<bool> affine = true;     ///< a trained scale and shift per channel
  ir::Parameter<double> epsilon = 1e-5;  ///< added to the variance
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LayerNormOptions, affine, epsilon)

namespace ops {
/// Makes a layer normalisation, [C, ...] → the same: each position of each sample is normalised
/// over its channels (Ba, Kiros and Hinton 2016). In a supernet, options of fewer channels share
/// scales and shifts; where several options are blended with masks m, the statistics are blended
/// too: mean = sum_c m_c x_c / sum_c m_c.
ir::Operation layer_norm(const LayerNormOptions& options = {});
}  // namespace ops

}  // namespace retia
