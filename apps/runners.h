#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "engine/experiment/trial_file.h"
#include "engine/factory_table.h"

namespace retia {

class Program;
struct Config;

/// What a runner is given beside its options.
struct RunnerContext {
  Evaluator& evaluator;                  ///< for trials in this process; outlives the runner
  TrialSetting setting;                  ///< for trials in others
  std::vector<Mutable> mutables;         ///< of the space
  std::filesystem::path folder;          ///< of the experiment
  int64_t concurrency = 1;               ///< how many jobs run at once
  std::function<bool()> stop_requested;  ///< asked by evaluators in this process
};

/// Makers take (options, context); the options are the section `runner` of the configuration.
using RunnerTable = FactoryTable<std::unique_ptr<Runner>, const RunnerContext&>;

/// inline, local, slurm.
RunnerTable standard_runners();

/// The runner that the configuration names, for the experiment in `folder`. `evaluator` outlives
/// it.
std::unique_ptr<Runner> make_runner(const Program& program, const Config& config,
                                    Evaluator& evaluator, const std::vector<Mutable>& mutables,
                                    const std::filesystem::path& folder,
                                    std::function<bool()> stop_requested);

}  // namespace retia
