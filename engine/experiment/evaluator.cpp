#include "retia/engine/experiment/evaluator.h"

#include <c10/util/Exception.h>

namespace retia {

std::optional<std::vector<Evaluation>> Evaluator::evaluate_merged(std::span<const Trial>) {
  return std::nullopt;
}

Evaluation try_evaluate(Evaluator& evaluator, const Trial& trial) {
  if (trial.stop_requested()) {
    return {.status = TrialStatus::Stopped};
  }
  try {
    return evaluator.evaluate(trial);
  } catch (const c10::Error& error) {
    return {.status = TrialStatus::Failed, .error = error.what_without_backtrace()};
  } catch (const std::exception& error) {
    return {.status = TrialStatus::Failed, .error = error.what()};
  }
}

std::optional<std::vector<Evaluation>> try_evaluate_merged(Evaluator& evaluator,
                                                           std::span<const Trial> trials) {
  if (trials.size() < 2) {
    return std::nullopt;
  }
  try {
    auto evaluations = evaluator.evaluate_merged(trials);
    TORCH_CHECK(!evaluations || evaluations->size() == trials.size(), "the evaluator gave ",
                evaluations->size(), " evaluations of ", trials.size(), " trials");
    return evaluations;
  } catch (const std::exception&) {
    return std::nullopt;  // the error of one of them, which evaluating each by itself finds
  }
}

}  // namespace retia
