#include "retia/engine/experiment/try_proposal.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "retia/engine/base/clock.h"
#include "retia/engine/experiment/run_job.h"
#include "retia/engine/ir/infer.h"

namespace retia {

ir::Graph model_of(const ir::Space& space, const Architecture& architecture) {
  ir::Graph model = space.model(architecture);
  ir::infer(model);
  return model;
}

bool freeze_model(Trial& trial, const ir::Space& space, const Evaluator& evaluator) {
  if (!evaluator.reads_model()) {
    return true;
  }
  try {
    trial.model = model_of(space, trial.proposal.architecture);
    return true;
  } catch (const c10::Error& error) {
    trial.evaluation.status = TrialStatus::Invalid;
    trial.evaluation.error = error.what_without_backtrace();
    trial.ended = trial.began;
    return false;
  }
}

void check_evaluation(const Evaluation& evaluation, const std::vector<Objective>& objectives) {
  TORCH_CHECK(evaluation.objectives.size() == objectives.size(), "the evaluator gave ",
              evaluation.objectives.size(), " objectives, expected ", objectives.size());
  for (size_t i = 0; i < objectives.size(); ++i) {
    TORCH_CHECK(std::isfinite(evaluation.objectives[i]), "the objective '", objectives[i].name,
                "' became ", evaluation.objectives[i]);
  }
  for (const auto& [name, value] : evaluation.metrics) {
    TORCH_CHECK(std::isfinite(value), "the metric '", name, "' became ", value);
  }
}

void complete(Trial& trial, const std::vector<Objective>& objectives) {
  trial.ended = utc_now();
  trial.model.reset();
  // The store has no infinity, and a resumed experiment must know what this one knows.
  std::replace_if(
      trial.evaluation.intermediate.begin(), trial.evaluation.intermediate.end(),
      [](double value) { return std::isinf(value); }, std::numeric_limits<double>::quiet_NaN());
  if (!has_succeeded(trial)) {
    trial.evaluation.objectives.clear();
    trial.evaluation.metrics.clear();
    return;
  }
  try {
    check_evaluation(trial.evaluation, objectives);
  } catch (const c10::Error& error) {
    trial.evaluation = {.status = TrialStatus::Failed,
                        .intermediate = std::move(trial.evaluation.intermediate),
                        .error = error.what_without_backtrace()};
  }
}

Trial try_proposal(const ir::Space& space, Evaluator& evaluator, const Proposal& proposal,
                   const std::function<bool()>& stop_requested) {
  Trial trial{
      .proposal = proposal, .stop_requested = stop_requested, .began = utc_now(), .n_attempts = 1};
  if (freeze_model(trial, space, evaluator)) {
    trial = std::move(run_job(evaluator, {.trials = {std::move(trial)}}).front());
    complete(trial, evaluator.objectives());
  }
  return trial;
}

}  // namespace retia
