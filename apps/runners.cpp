#include "retia/apps/runners.h"

#include <iostream>

#include "retia/apps/program.h"
#include "retia/engine/experiment/inline_runner.h"
#include "retia/engine/experiment/local_runner.h"
#include "retia/engine/experiment/slurm_runner.h"

namespace retia {
namespace {

/// The inline runner has no options.
struct InlineOptions {};
void to_json(Json& json, const InlineOptions&) { json = Json::object(); }
void from_json(const Json&, InlineOptions&) {}

std::unique_ptr<Runner> make_inline(const InlineOptions&, const RunnerContext& context) {
  return std::make_unique<InlineRunner>(context.evaluator, context.setting.weights,
                                        context.stop_requested, context.concurrency);
}

void print_warning(const std::string& line) { std::cerr << line << std::endl; }

std::unique_ptr<Runner> make_local(const LocalRunnerOptions& options,
                                   const RunnerContext& context) {
  return std::make_unique<LocalRunner>(context.setting, context.mutables, context.folder,
                                       context.concurrency, options, "/proc/self/exe",
                                       print_warning);
}

std::unique_ptr<Runner> make_slurm(const SlurmOptions& options, const RunnerContext& context) {
  const std::filesystem::path folder = std::filesystem::canonical(context.folder);
  return std::make_unique<SlurmRunner>(
      open_slurm(options, context.setting.threads, folder / "trials",
                 std::filesystem::read_symlink("/proc/self/exe")),
      context.setting, context.mutables, folder, context.concurrency, options, print_warning);
}

}  // namespace

RunnerTable standard_runners() {
  RunnerTable table("runner");
  table.add("inline", make_inline);
  table.add("local", make_local);
  table.add("slurm", make_slurm);
  return table;
}

std::unique_ptr<Runner> make_runner(const Program& program, const Config& config,
                                    Evaluator& evaluator, const std::vector<Mutable>& mutables,
                                    const std::filesystem::path& folder,
                                    std::function<bool()> stop_requested) {
  const TrialSetting setting{.space = config.space,
                             .evaluator = evaluator.to_json(),
                             .device = config.run.device,
                             .precision = config.run.precision,
                             .executor = config.run.executor,
                             .threads = config.run.threads,
                             .weights = folder / "weights"};
  return program.runners.make(config.runner, config.runner_options,
                              {.evaluator = evaluator,
                               .setting = setting,
                               .mutables = mutables,
                               .folder = folder,
                               .concurrency = config.experiment.concurrency,
                               .stop_requested = std::move(stop_requested)});
}

}  // namespace retia
