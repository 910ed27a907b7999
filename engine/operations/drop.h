#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct DropOptions {
  ir::Parameter<double> probability = 0.2;  ///< at the end of training, 0 to 1 (exclusive)
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DropOptions, probability)

namespace ops {
/// Any shape -> the same. While training, a sample is zeroed as a whole with a probability that
/// grows linearly from 0 to `probability` over the training, and divided by the probability of
/// staying (Larsson et al. 2017; the schedule of Zoph et al. 2018).
ir::Operation drop_path(const DropOptions& options = {});
}  // namespace ops

}  // namespace retia
