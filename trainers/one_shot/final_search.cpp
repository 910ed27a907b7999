#include "trainers/one_shot/final_search.h"

#include "engine/ir/freeze.h"

namespace retia {

Architecture best_of(const FinalSearch& search, const ir::Graph& space) {
  std::optional<Architecture> best;
  double best_score = 0;
  for (int64_t i = 0; i < search.max_trials; ++i) {
    const Strategy::Answer answer = search.strategy->ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    if (proposal == nullptr) {
      break;
    }
    const ir::Graph model = ir::freeze(space, proposal->architecture);
    const Evaluation found = search.evaluator->evaluate(model, {.proposal = *proposal});
    const double score = found.objectives.front();
    search.strategy->tell(*proposal, {found.status, found.objectives});
    if (!best || score > best_score) {
      best = proposal->architecture;
      best_score = score;
    }
  }
  TORCH_CHECK(best.has_value(), "the final search finds no architecture to score");
  return *best;
}

}  // namespace retia
