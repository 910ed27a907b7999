#include "retia/trainers/one_shot/final_search.h"

#include "retia/engine/experiment/telling.h"
#include "retia/engine/experiment/try_proposal.h"

namespace retia {

Architecture best_of(const FinalSearch& search, const ir::Graph& space) {
  const ir::Space models = space;
  const Objective objective = search.evaluator->objectives().front();
  Telling telling(*search.strategy, search.evaluator->objectives());
  std::optional<TrialRecord> best;
  std::string error;
  for (int64_t i = 0; i < search.max_trials; ++i) {
    const Strategy::Answer answer = search.strategy->ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    if (proposal == nullptr) {
      break;
    }
    TrialRecord trial = try_proposal(models, *search.evaluator, *proposal);
    error = trial.error;
    if (trial.status == TrialStatus::Succeeded &&
        (!best ||
         gain(objective, trial.objectives.front()) > gain(objective, best->objectives.front()))) {
      best = trial;
    }
    telling.add(std::move(trial));
    telling.first(i + 1);
  }
  TORCH_CHECK(best.has_value(), "no architecture could be scored",
              error.empty() ? "" : ": " + error);
  return best->proposal.architecture;
}

}  // namespace retia
