#include <iostream>

#include "apps/workbench.h"
#include "engine/experiment/experiment.h"
#include "engine/io/files.h"
#include "engine/ir/json.h"
#include "trainers/evaluators.h"

namespace retia {
namespace {

const char* reason(ExperimentEnding ending) {
  switch (ending) {
    case ExperimentEnding::Exhausted:
      return "the space is exhausted";
    case ExperimentEnding::MaxTrials:
      return "--max-trials was reached";
    case ExperimentEnding::MaxDuration:
      return "--max-duration was reached";
    default:
      return "stopped; continue with the same command and --resume";
  }
}

}  // namespace

int explore(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const ir::Graph space = search_space(program, config, bench.task);
  const std::unique_ptr<Strategy> strategy = program.strategies.make(
      config.strategy, config.strategy_options, space, static_cast<uint64_t>(config.run.seed));
  const std::unique_ptr<Evaluator> evaluator =
      standard_evaluators(program.data_sets, bench.device, bench.dtype)
          .make(config.evaluator, config.evaluator_options);

  RunDirectory directory = open_run_directory(config);
  write_json(directory.file("space.json"), ir::to_json(space));
  TrialObserver observer(config.run);
  Experiment experiment(space, config.space, *evaluator, *strategy, directory.path());
  const ExperimentEnding ending = experiment.run(config.experiment, observer);
  std::cout << experiment.trials().size() << " trials; " << reason(ending) << '\n';
  if (const auto best = experiment.best()) {
    std::cout << "architecture " << config.run.out << "/architecture.json\nbest trial "
              << best->proposal.id << ": validation accuracy " << percent(best->objectives.front())
              << std::endl;
  }
  if (ending == ExperimentEnding::Stopped) {
    return kInterrupted;
  }
  TORCH_CHECK(experiment.best().has_value(), "no trial succeeded: see ", config.run.out,
              "/trials.jsonl");
  return kDone;
}

}  // namespace retia
