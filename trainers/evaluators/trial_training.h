#pragma once

#include <optional>

#include "engine/evaluator.h"
#include "trainers/trainer.h"

namespace retia {

/// How a trial's model is trained.
struct TrialTraining {
  Batches train;
  std::optional<Batches> valid;  ///< scored after the last epoch; none: nothing is
  int64_t epochs = 1;            ///< unless the proposal says
  SgdOptions weight_optimizer = {};
};

/// Trains `network` for as many epochs as the trial's proposal says, going on from the weights of
/// the trial that it continues. A trial of a number of epochs of its own may be continued, so its
/// weights are kept. Returns the last epoch's report; none: the trial was stopped.
std::optional<EpochReport> train_trial(const Network& network, const TrialTraining& training,
                                       const Trial& trial);

/// Numbers that are trained.
int64_t n_parameters(const torch::nn::Module& module);

}  // namespace retia
