#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/trial_list.h"

namespace retia {

int commands::show(const Program&, const Config& config) {
  ListedTrials listed = trials_in(config.run.out);
  for (Json& trial : listed.trials) {
    trial = shown(trial, listed.objectives);
  }
  std::cout << written(listed.trials, config.run.format);
  return kDone;
}

}  // namespace retia
