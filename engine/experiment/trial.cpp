#include "retia/engine/experiment/trial.h"

#include <tuple>

namespace retia {

bool operator==(const Trial& a, const Trial& b) {
  const auto all = [](const Trial& t) {
    return std::tie(t.proposal, t.weights, t.floors, t.model, t.n_told, t.job, t.seed, t.evaluation,
                    t.seconds, t.began, t.ended, t.host, t.log, t.n_attempts, t.told_failed);
  };
  return all(a) == all(b);
}

double gain(Direction direction, double value) {
  return direction == Direction::Maximise ? value : -value;
}

double gain(const Objective& objective, double value) { return gain(objective.direction, value); }

std::vector<double> gains(const std::vector<Objective>& objectives, const Trial& trial) {
  std::vector<double> all;
  for (size_t i = 0; i < trial.evaluation.objectives.size(); ++i) {
    all.push_back(gain(objectives.at(i), trial.evaluation.objectives[i]));
  }
  return all;
}

Standing standing(const Objective& first, double value, int64_t id) {
  return {-gain(first, value), id};
}

Standing standing(const Objective& first, const Trial& trial) {
  return standing(first, trial.evaluation.objectives.front(), trial.proposal.id);
}

bool improves(const Objective& first, const Trial& trial, const std::optional<Trial>& best) {
  return has_succeeded(trial) && (!best || standing(first, trial) < standing(first, *best));
}

}  // namespace retia
