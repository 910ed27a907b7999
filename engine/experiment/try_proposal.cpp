#include "retia/engine/experiment/try_proposal.h"

#include <cmath>

#include "retia/engine/clock.h"
#include "retia/engine/experiment/trial_file.h"
#include "retia/engine/ir/infer.h"

namespace retia {

ir::Graph model_of(const ir::Space& space, const Architecture& architecture) {
  ir::Graph model = space.model(architecture);
  ir::infer(model);
  return model;
}

std::optional<ir::Graph> freeze_model(TrialRecord& trial, const ir::Space& space,
                                      const Evaluator& evaluator) {
  try {
    return evaluator.reads_model() ? model_of(space, trial.proposal.architecture) : ir::Graph("");
  } catch (const c10::Error& error) {
    trial.status = TrialStatus::Invalid;
    trial.error = error.what_without_backtrace();
    trial.ended = trial.began;
    return std::nullopt;
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
  for (const double value : evaluation.intermediate) {
    TORCH_CHECK(std::isfinite(value), "the objective '", objectives.front().name, "' became ",
                value, " after an epoch");
  }
}

void complete(TrialRecord& record, TrialResult result, const std::vector<Objective>& objectives) {
  Evaluation& evaluation = result.evaluation;
  record.status = evaluation.status;
  record.error = std::move(evaluation.error);
  record.seconds = result.seconds;
  record.ended = utc_now();
  record.host = std::move(result.host);
  record.log = std::move(result.log);
  record.n_attempts = result.n_attempts;
  if (record.status == TrialStatus::Succeeded) {
    try {
      check_evaluation(evaluation, objectives);
      record.objectives = std::move(evaluation.objectives);
      record.metrics = std::move(evaluation.metrics);
    } catch (const c10::Error& error) {
      record.status = TrialStatus::Failed;
      record.error = error.what_without_backtrace();
    }
  }
  record.intermediate = std::move(evaluation.intermediate);
}

TrialRecord try_proposal(const ir::Space& space, Evaluator& evaluator, const Proposal& proposal,
                         const std::function<bool()>& stop_requested) {
  TrialRecord trial{.proposal = proposal, .began = utc_now()};
  if (std::optional<ir::Graph> model = freeze_model(trial, space, evaluator)) {
    const Job job{.models = {std::move(*model)}, .proposals = {proposal}};
    complete(trial, run_job(evaluator, job, {}, stop_requested).front(), evaluator.objectives());
  }
  return trial;
}

}  // namespace retia
