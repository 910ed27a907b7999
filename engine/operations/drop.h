#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct DropOptions {
  ir::Parameter<double> probability = 0.2;  ///< at the end of training, 0 to 1 (exclusive)
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DropOptions, probability)

struct FadingDropoutOptions {
  ir::Parameter<double> probability = 0.4;  ///< at the beginning, 0 to 1 (exclusive)
  ir::Parameter<double> hold = 0.4;         ///< the part of training until it decays, 0 to 1
  ir::Parameter<double> decay = 5.0;        ///< rate of the decay, per training, ≥ 0
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FadingDropoutOptions, probability, hold, decay)

namespace ops {
/// Any shape -> the same. While training, a sample is zeroed as a whole with a probability that
/// grows linearly from 0 to `probability` over the training, and divided by the probability of
/// staying (Larsson et al. 2017; the schedule of Zoph et al. 2018).
ir::Operation drop_path(const DropOptions& options = {});

/// Any shape -> the same: dropout (Srivastava et al. 2014) that leaves in time, for identities in a
/// search (Chen et al., "Progressive DARTS", ICCV 2019). While training, each number is zeroed with
/// the probability q and divided by 1 - q; with t the part of the training that is done,
///   q = probability (1 - t)                       while t < hold, when alphas rest;
///   q = probability exp(-decay (t - hold))        from then on.
ir::Operation fading_dropout(const FadingDropoutOptions& options = {});
}  // namespace ops

}  // namespace retia
