#include <algorithm>
#include <iostream>

#include "apps/program.h"
#include "apps/trial_export.h"
#include "apps/trial_list.h"

namespace retia {

int top(const Program& program, const Config& config) {
  const ListedTrials listed = trials_in(config.run.out);
  std::vector<Json> trials;
  for (const Json& trial : listed.trials) {
    if (trial.at("status") == TrialStatus::Succeeded) {
      trials.push_back(shown(trial, listed.objectives));
    }
  }
  TORCH_CHECK(!trials.empty(), "no trial in ", config.run.out, " has succeeded");
  const double sign = listed.objectives.front().direction == Direction::Maximise ? 1 : -1;
  std::stable_sort(trials.begin(), trials.end(), [sign](const Json& a, const Json& b) {
    return sign * a["metric"].get<double>() > sign * b["metric"].get<double>();
  });
  trials.resize(std::min(trials.size(), static_cast<size_t>(config.run.k)));
  std::cout << written(trials, config.run.format);
  for (const Json& trial : trials) {
    if (!config.run.exported.empty()) {
      export_trial(program, config.run.out, trial,
                   std::filesystem::path(config.run.exported) / trial.at("trial").dump());
    }
  }
  return kDone;
}

}  // namespace retia
