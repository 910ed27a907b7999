#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/trial_export.h"
#include "retia/apps/trial_list.h"

namespace retia {

int commands::top(const Program& program, const Config& config) {
  const std::vector<Json> trials = best_of(trials_in(config.run.out), config.run.k);
  TORCH_CHECK(!trials.empty(), "no trial in ", config.run.out, " has succeeded");
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
