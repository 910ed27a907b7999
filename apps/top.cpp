#include <iostream>

#include "retia/apps/commands.h"
#include "retia/apps/trial_export.h"
#include "retia/apps/trial_list.h"

namespace retia {
namespace {

struct TopOptions {
  int64_t k = 10;
  std::string format = "text";
  std::string exported = "";  ///< empty: none
};
std::vector<Option> declared(TopOptions& o) {
  return {option("k", o.k, Range{1, 1e9}, "number of best trials"), format_option(o.format),
          option("exported", o.exported, "folder for the models of the best trials, one each")
              .called("export")
              .taking("DIR")};
}

int run_top(const Program& program, const Config& config, const TopOptions& options) {
  const std::vector<Json> trials = best_trials(trials_in(config.run.out), options.k);
  TORCH_CHECK(!trials.empty(), "no trial in ", config.run.out, " has succeeded");
  std::cout << written(trials, options.format);
  for (const Json& trial : trials) {
    if (!options.exported.empty()) {
      export_trial(program, config.run.out, trial,
                   std::filesystem::path(options.exported) / trial.at("trial").dump());
    }
  }
  return kDone;
}

}  // namespace

Command commands::top() {
  return configured({.name = "top",
                     .summary = "the best trials of an exploration",
                     .positional = "run.out",
                     .required = {"out"}},
                    run_top);
}

}  // namespace retia
