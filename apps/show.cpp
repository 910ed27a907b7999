#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/trial_list.h"

namespace retia {
namespace {

struct ShowOptions {
  std::string format = "text";
};
std::vector<Option> declared(ShowOptions& o) { return {format_option(o.format)}; }

int run_show(const Program&, const Config& config, const ShowOptions& options) {
  ListedTrials listed = trials_in(config.run.out);
  for (Json& trial : listed.trials) {
    // Which may be of the test: `top` and the end of `explore` tell it of what was chosen.
    trial["metrics"].erase("report");
    trial = shown(trial, listed.objectives);
  }
  std::cout << written(listed.trials, options.format);
  return kDone;
}

}  // namespace

Command commands::show() {
  return configured({.name = "show",
                     .summary = "all trials of an exploration",
                     .positional = "run.out",
                     .required = {"out"}},
                    run_show);
}

}  // namespace retia
