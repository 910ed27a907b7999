#include "retia/engine/experiment/telling.h"

namespace retia {

void Telling::add(TrialRecord record) {
  const int64_t id = record.proposal.id;
  held_back_.emplace(id, std::move(record));
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

void Telling::tell(const TrialRecord& record) {
  Outcome outcome{record.status, {}};
  for (size_t i = 0; i < record.objectives.size(); ++i) {
    outcome.objectives.push_back(gain(objectives_.at(i), record.objectives[i]));
  }
  strategy_.tell(record.proposal, outcome);
  if (rule_ && record.status == TrialStatus::Succeeded) {
    rule_->add(record.intermediate);
  }
}

double gain(const Objective& objective, double value) {
  return objective.direction == Direction::Maximise ? value : -value;
}

}  // namespace retia
