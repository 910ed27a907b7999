#include "trainers/evaluators/inherited.h"

#include "trainers/score.h"

namespace retia {

InheritedEvaluator::InheritedEvaluator(Network supernet, Batches train, Batches scoring,
                                       int64_t recalibration_batches)
    : supernet_(std::move(supernet)),
      train_(std::move(train)),
      scoring_(std::move(scoring)),
      recalibration_batches_(recalibration_batches) {}

Evaluation InheritedEvaluator::evaluate(const ir::Graph&, const Trial& trial) {
  Network model = inherit(supernet_, trial.proposal.architecture);
  recalibrate(model, train_, recalibration_batches_);
  if (trial.stop_requested()) {
    return {.status = TrialStatus::Stopped};
  }
  const Score score = retia::evaluate(model, scoring_);
  return {.objectives = {score.accuracy}, .metrics = {{"loss", score.loss}}};
}

Json InheritedEvaluator::to_json() const {
  return {{"name", "inherited"}, {"options", {{"recalibration_batches", recalibration_batches_}}}};
}

}  // namespace retia
