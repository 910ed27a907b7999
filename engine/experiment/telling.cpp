#include "retia/engine/experiment/telling.h"

namespace retia {

void Telling::add(Trial trial) {
  const int64_t id = trial.proposal.id;
  held_back_.emplace(id, std::move(trial));
}

bool Telling::first(int64_t n) {
  while (n_told_ < n) {
    const auto next = held_back_.find(n_told_);
    if (next == held_back_.end()) {
      return false;
    }
    tell(next->second);
    held_back_.erase(next);
    ++n_told_;
  }
  return true;
}

void Telling::tell(const Trial& trial) {
  if (trial.told_failed) {
    strategy_.tell(trial.proposal, {.status = TrialStatus::Failed});
    return;
  }
  strategy_.tell(trial.proposal, {trial.evaluation.status, gains(objectives_, trial)});
  if (rule_ && has_succeeded(trial)) {
    rule_->add(trial.evaluation.intermediate);
  }
}

}  // namespace retia
