#include "retia/engine/evaluator.h"

#include <c10/util/Exception.h>

namespace retia {

std::vector<Evaluation> Evaluator::evaluate_merged(std::span<const ir::Graph> models,
                                                   std::span<const Trial> trials) {
  std::vector<Evaluation> evaluations;
  for (size_t i = 0; i < models.size(); ++i) {
    evaluations.push_back(try_evaluate(*this, models[i], trials[i]));
  }
  return evaluations;
}

Evaluation try_evaluate(Evaluator& evaluator, const ir::Graph& model, const Trial& trial) {
  if (trial.stop_requested()) {
    return {.status = TrialStatus::Stopped};
  }
  try {
    return evaluator.evaluate(model, trial);
  } catch (const c10::Error& error) {
    return {.status = TrialStatus::Failed, .error = error.what_without_backtrace()};
  } catch (const std::exception& error) {
    return {.status = TrialStatus::Failed, .error = error.what()};
  }
}

}  // namespace retia
