#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "retia/engine/experiment/trial_file.h"
#include "retia/engine/io/factory_table.h"

namespace retia {

class Program;
struct Config;

/// The surroundings that a runner is given in addition to its options.
struct RunnerContext {
  Evaluator& evaluator;                  ///< scores trials in this process; outlives the runner
  TrialSetting setting;                  ///< setting of trials in other processes
  std::vector<Mutable> mutables;         ///< choices of the space
  std::filesystem::path folder;          ///< folder of the experiment
  int64_t concurrency = 1;               ///< number of jobs that run at once
  std::function<bool()> stop_requested;  ///< polled by evaluators in this process
};

/// The table of runners. Factories take (options, context); the options are the section `runner` of
/// the configuration.
using RunnerTable = FactoryTable<std::unique_ptr<Runner>, const RunnerContext&>;

/// Returns a table of the built-in runners.
RunnerTable standard_runners();

/// Makes the runner that the configuration names, for the experiment in `folder`. `evaluator` must
/// outlive the runner.
std::unique_ptr<Runner> make_runner(const Program& program, const Config& config,
                                    Evaluator& evaluator, const std::vector<Mutable>& mutables,
                                    const std::filesystem::path& folder,
                                    std::function<bool()> stop_requested);

}  // namespace retia
