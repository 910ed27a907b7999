#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The schedule of a drop path.
struct DropOptions {
  ir::Parameter<double> probability = 0.2;  ///< at the end of training, in [0, 1)
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DropOptions, probability)

/// The schedule of a dropout that fades out.
struct FadingDropoutOptions {
  ir::Parameter<double> probability = 0.4;  ///< at the beginning of training, in [0, 1)
  ir::Parameter<double> hold = 0.4;   ///< fraction of training before the decay begins, in [0, 1]
  ir::Parameter<double> decay = 5.0;  ///< rate of the decay over the whole training, ≥ 0
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(FadingDropoutOptions, probability, hold, decay)

namespace ops {
/// Makes a drop path, any shape → the same. In training, each sample is zeroed as a whole with
/// probability q, which grows linearly from 0 to `probability` over the training, and otherwise
/// divided by 1 - q (Larsson et al. 2017; the schedule of Zoph et al. 2018).
ir::Operation drop_path(const DropOptions& options = {});

/// Makes a dropout (Srivastava et al. 2014) that fades out, any shape → the same; for identities in
/// a search (Chen et al., "Progressive DARTS", ICCV 2019). In training, each number is zeroed with
/// probability q, and otherwise divided by 1 - q. With t the fraction of training completed,
///   q = probability (1 - t)                   for t < hold, while alphas are not trained;
///   q = probability exp(-decay (t - hold))    afterwards.
ir::Operation fading_dropout(const FadingDropoutOptions& options = {});
}  // namespace ops

}  // namespace retia
