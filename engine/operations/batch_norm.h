#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct BatchNormOptions {
  ir::Parameter<bool> affine = true;     ///< a trained scale and shift per channel
  ir::Parameter<double> epsilon = 1e-5;  ///< added to the variance
  ir::Parameter<double> momentum = 0.1;  ///< weight of a batch in the running statistics
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BatchNormOptions, affine, epsilon, momentum)

namespace ops {
/// [C, ...] -> the same, normalised per channel (Ioffe and Szegedy 2015): by the batch's statistics
/// while training, by the running ones in evaluation.
ir::Operation batch_norm(const BatchNormOptions& options = {});
}  // namespace ops


}  // namespace retia
