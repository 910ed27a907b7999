#include <iostream>

#include "apps/program.h"
#include "apps/trial_list.h"

namespace retia {

int top(const Program&, const Config& config) {
  const std::vector<Json> trials = best_of(trials_in(config.run.out), config.run.k);
  TORCH_CHECK(!trials.empty(), "no trial in ", config.run.out, " has succeeded");
  std::cout << written(trials, config.run.format);
  return kDone;
}

}  // namespace retia
