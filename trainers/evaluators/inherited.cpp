#include "retia/trainers/evaluators/inherited.h"

#include "retia/trainers/score.h"

namespace retia {

InheritedEvaluator::InheritedEvaluator(Network supernet, const Batches& train, Batches scoring,
                                       int64_t recalibration_batches, Reward reward)
    : supernet_(std::move(supernet)),
      train_(train.whole()),
      scoring_(std::move(scoring)),
      recalibration_batches_(recalibration_batches),
      reward_(std::move(reward)) {}

Evaluation InheritedEvaluator::evaluate(const Trial& trial) {
  Network model = inherit(supernet_, trial.proposal.architecture);
  model->synchronise(nullptr);
  recalibrate(model, train_, recalibration_batches_);
  if (trial.stop_requested()) {
    return {.status = TrialStatus::Stopped};
  }
  const Score found = score_of(model, scoring_);
  const double score =
      reward_ ? reward_(found.accuracy, trial.proposal.architecture) : found.accuracy;
  return {.objectives = {score}, .metrics = {{"accuracy", found.accuracy}, {"loss", found.loss}}};
}

Json InheritedEvaluator::to_json() const {
  return {{"name", "inherited"}, {"options", {{"recalibration_batches", recalibration_batches_}}}};
}

}  // namespace retia
