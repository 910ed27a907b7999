#include <iostream>

#include "apps/workbench.h"
#include "engine/architecture_json.h"
#include "engine/experiment/experiment.h"
#include "engine/io/files.h"
#include "engine/ir/json.h"
#include "engine/ir/profile.h"
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

/// Tries one model and says what it is and what became of it.
int debug(const Config& config, const ir::Space& space, Evaluator& evaluator, Strategy& strategy) {
  TrialObserver observer(config.run);
  const TrialRecord trial = Experiment::debug_run(space, evaluator, strategy, observer);
  const Json choices = choices_to_json(trial.proposal.architecture, space.mutables());
  for (const auto& [label, choice] : choices.items()) {
    std::cout << label << ": " << choice.dump() << '\n';
  }
  const ir::Cost cost = ir::total_cost(space.model(trial.proposal.architecture));
  std::cout << "parameters " << cost.parameters.value() << ", multiply-adds "
            << cost.multiply_adds.value() << '\n';
  if (trial.status == TrialStatus::Stopped) {
    return kInterrupted;
  }
  const std::vector<Objective> objectives = evaluator.objectives();
  for (size_t i = 0; i < objectives.size(); ++i) {
    std::cout << objectives[i].name << ' ' << trial.objectives[i] << '\n';
  }
  for (const auto& [name, value] : trial.metrics) {
    std::cout << name << ' ' << value << '\n';
  }
  return kDone;
}

}  // namespace

int explore(const Program& program, const Config& config) {
  const Workbench bench = open_workbench(program, config);
  const ir::Space space = search_space(program, config, bench.task);
  const std::unique_ptr<Strategy> strategy = program.strategies.make(
      config.strategy, config.strategy_options, space, static_cast<uint64_t>(config.run.seed));
  const std::unique_ptr<Evaluator> evaluator =
      standard_evaluators(program.data_sets, bench.device, bench.dtype)
          .make(config.evaluator, config.evaluator_options);

  if (config.run.debug) {
    return debug(config, space, *evaluator, *strategy);
  }
  RunDirectory directory = open_run_directory(config);
  write_json(directory.file("space.json"), ir::to_json(space.graph()));
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
