#include "retia/trainers/one_shot/final_search.h"

#include "retia/engine/experiment/experiment.h"

namespace retia {

Architecture best_of(const FinalSearch& search, const ir::Graph& space) {
  Experiment experiment(space, *search.evaluator, *search.strategy);
  ExperimentObserver nobody;
  experiment.run({.max_trials = search.max_trials, .max_failures = search.max_trials}, nobody);
  if (const std::optional<Trial>& best = experiment.best()) {
    return best->proposal.architecture;
  }
  std::string error;
  experiment.each_trial([&](const Trial& trial) { error = ": " + trial.evaluation.error; });
  TORCH_CHECK(false, "no architecture could be scored", error);
}

}  // namespace retia
