#include <iostream>
#include <sstream>

#include "retia/apps/commands.h"
#include "retia/apps/fed_trials.h"
#include "retia/apps/front.h"
#include "retia/apps/recalled.h"
#include "retia/apps/run_record.h"
#include "retia/apps/run_split.h"
#include "retia/apps/workbench.h"
#include "retia/engine/cost/nearest.h"
#include "retia/engine/cost/profile.h"
#include "retia/engine/distributed/launch.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/setting.h"
#include "retia/strategies/fed.h"

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
    case ExperimentEnding::Failures:
      return "stopped: too many trials in a row failed";
    default:
      return "stopped; continue with the same command and --resume";
  }
}

/// Tries one model; prints the model and its result.
int debug(const Config& config, const ir::Space& space, Evaluator& evaluator, Strategy& strategy) {
  TrialObserver observer(config.run, config.experiment, evaluator);
  const Trial trial = Experiment::debug_run(space, evaluator, strategy, observer);
  if (trial.evaluation.status == TrialStatus::Stopped) {
    return kInterrupted;
  }
  const Json choices = choices_to_json(trial.proposal.architecture, space.mutables());
  for (const auto& [label, choice] : choices.items()) {
    std::cout << label << ": " << choice.dump() << '\n';
  }
  const ir::Cost cost = ir::total_cost(space.model(trial.proposal.architecture));
  std::cout << "parameters " << cost.parameters.value() << ", multiply-adds "
            << cost.multiply_adds.value() << '\n';
  const std::vector<Objective> objectives = evaluator.objectives();
  for (size_t i = 0; i < objectives.size(); ++i) {
    std::cout << objectives[i].name << ' ' << trial.evaluation.objectives[i] << " ("
              << Json(objectives[i].direction).get<std::string>() << ")\n";
  }
  for (const auto& [name, value] : trial.evaluation.metrics) {
    std::cout << name << ' ' << value << '\n';
  }
  return kDone;
}

/// Returns the filter that admits what both filters admit; null admits all.
ir::Filter both(const ir::Filter& a, const ir::Filter& b) {
  if (!a || !b) {
    return a ? a : b;
  }
  return [a, b](const Architecture& architecture) { return a(architecture) && b(architecture); };
}

/// Returns the strategy of the configuration, which first proposes what it is fed with.
std::unique_ptr<Strategy> make_strategy(const Program& program, const Config& config,
                                        const ir::Space& space, const FedTrials& fed) {
  const ir::Filter admits = both(program.admits, ir::within(space, config.experiment.window));
  std::unique_ptr<Strategy> strategy = program.strategies.make(
      config.strategy, config.strategy_options, Domain(space, both(fed.others(), admits)),
      static_cast<uint64_t>(config.run.seed));
  return fed.is_empty()
             ? std::move(strategy)
             : std::make_unique<FedStrategy>(std::move(strategy), fed.enqueued, fed.known);
}

/// Throws where the strategy found no architecture to try, since the cost window admits none.
void check_window(const Config& config, const ir::Space& space) {
  constexpr int64_t kDraws = 1000;
  const Domain all(space);
  Random random(static_cast<uint64_t>(config.run.seed));
  std::vector<Architecture> drawn;
  for (int64_t i = 0; i < kDraws; ++i) {
    drawn.push_back(all.sample(random));
  }
  const std::string nearest = ir::nearest_costs(space, config.experiment.window, drawn);
  TORCH_CHECK(nearest.empty(), "experiment.window admits no model that was found: of ", kDraws,
              " drawn at random the nearest has ", nearest, ": widen the window");
}

/// "93 trials, 2 failed, 3 diverged, 1 invalid"
std::string counted(const Experiment& experiment) {
  int64_t n_failed = 0, n_invalid = 0, n_diverged = 0;
  experiment.each_trial([&](const Trial& trial) {
    n_failed += trial.evaluation.status == TrialStatus::Failed ? 1 : 0;
    n_invalid += trial.evaluation.status == TrialStatus::Invalid ? 1 : 0;
    n_diverged += trial.evaluation.status == TrialStatus::Diverged ? 1 : 0;
  });
  return c10::str(experiment.n_trials(), " trials",
                  n_failed > 0 ? c10::str(", ", n_failed, " failed") : "",
                  n_diverged > 0 ? c10::str(", ", n_diverged, " diverged") : "",
                  n_invalid > 0 ? c10::str(", ", n_invalid, " invalid") : "");
}

void print_best(const Trial& best, const std::vector<Objective>& objectives) {
  std::cout << "best trial " << best.proposal.id << ": ";
  for (size_t i = 0; i < objectives.size(); ++i) {
    std::cout << (i > 0 ? ", " : "")
              << (objectives[i].name == "accuracy" ? "validation accuracy " : "")
              << shown_with_direction(objectives[i], best.evaluation.objectives[i]);
  }
  if (const auto report = best.evaluation.metrics.find("report");
      report != best.evaluation.metrics.end()) {
    std::cout << ", report " << report->second;
  }
  std::cout << std::endl;
}

/// Puts the trials of an exploration whose folder was removed into a new one, and says so.
[[noreturn]] void keep_trials(const Experiment& experiment, RunDirectory& directory) {
  directory.create_again();
  experiment.copy_store(directory.path());
  TORCH_CHECK(
      false, directory.path().string(),
      " was removed while the exploration was working: its trials are there again: give the "
      "command again, with --resume");
}

/// Runs the experiment; where its folder is removed meanwhile, keeps the trials and throws.
ExperimentEnding run(Experiment& experiment, const Config& config, Runner& runner,
                     TrialObserver& observer, RunDirectory& directory) {
  std::optional<ExperimentEnding> ending;
  try {
    ending = experiment.run(config.experiment, runner, observer);
  } catch (const std::exception&) {
    if (!directory.was_removed()) {
      throw;
    }
  }
  if (directory.was_removed()) {
    keep_trials(experiment, directory);
  }
  return *ending;
}

/// Returns the split of the samples on which trials train; none where they train on none, or where
/// the trial's architecture decides an option of the data.
std::optional<SplitRecord> split_of_trials(const Program& program, const Config& config,
                                           const Workbench& bench) {
  const Json& options = config.evaluator_options;
  if (!options.contains("data") || !options.value("seed", Json()).is_number() ||
      !ir::settings_in(options.at("data"), "data").empty()) {
    return std::nullopt;
  }
  const auto of_trials = options.at("data").get<DataOptions>();
  const DataSplits data =
      options.at("data") == Json(config.data) ? bench.data : program.data_sets.load(of_trials);
  const auto seed = options.at("seed").get<uint64_t>();
  return record_of(data, split_of_run(data.train, of_trials.valid_fraction, seed, true),
                   of_trials.valid_fraction, seed);
}

struct ExploreOptions {
  bool debug = false;
  std::string retry = "";
  std::string enqueue = "";
  std::string imported = "";
};
std::vector<Option> declared(ExploreOptions& o) {
  return {
      option("debug", o.debug, "one trial in this process, and nothing written"),
      option("retry", o.retry, "with --resume: trials to run again, failed (all) or ids as 3,7")
          .taking("IDS"),
      option("enqueue", o.enqueue, "architectures to try first (JSON, as `retia top` writes)")
          .taking("FILE"),
      option("import", o.imported, "earlier results to learn from: a run or a file as --enqueue")
          .taking("RUN")};
}

/// Returns the ids in "3,7"; empty for "failed".
std::vector<int64_t> ids_in(const std::string& text) {
  if (text == "failed") {
    return {};
  }
  const auto is_id = [](const std::string& word) {
    return !word.empty() && word.size() < 16 &&
           word.find_first_not_of("0123456789") == std::string::npos;
  };
  std::vector<int64_t> ids;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) {
    TORCH_CHECK(is_id(word), "--retry is failed or the ids of trials, e.g. 3,7, but got '", text,
                "'");
    ids.push_back(std::stoll(word));
  }
  return ids;
}

/// Returns the ids of the trials that --retry names, empty for all failed ones; none where it is not
/// given.
std::optional<std::vector<int64_t>> to_retry(const Config& config, const ExploreOptions& options) {
  if (options.retry.empty()) {
    return std::nullopt;
  }
  TORCH_CHECK(config.run.resume, "--retry runs trials of ", config.run.out,
              " again: give --resume too");
  return ids_in(options.retry);
}

int run_explore(const Program& program, const Config& given, const ExploreOptions& options) {
  Config config = given;
  if (options.debug) {
    config.runner = "inline";
  }
  const int64_t n_ranks = read_launch().size;
  TORCH_CHECK(n_ranks == 1, "explore is one process, but its launcher starts ", n_ranks,
              ": start it without, and let runners start its trials, e.g. --runner local "
              "--concurrency ",
              n_ranks);
  const Workbench bench = open_workbench(program, config);
  const ir::Space space = explored_space(program, config, bench.task);
  const std::unique_ptr<Evaluator> evaluator = make_evaluator(program, config, bench, space);
  const FedTrials fed = fed_trials(
      {options.enqueue, options.imported, config.run.out, config.run.resume}, space, *evaluator);
  const std::unique_ptr<Strategy> strategy = make_strategy(program, config, space, fed);

  if (options.debug) {
    return debug(config, space, *evaluator, *strategy);
  }
  const std::optional<std::vector<int64_t>> again = to_retry(config, options);
  RunDirectory directory = open_run_directory(program, config, bench, space.graph());
  if (const std::optional<SplitRecord> split = split_of_trials(program, config, bench)) {
    keep_split(directory, *split, std::filesystem::exists(store_path(directory.path())));
  }
  write_json(directory.file("space.json"), ir::to_json(space.graph()));
  fed.write(directory.path(), space.mutables(), evaluator->objectives());
  TrialObserver observer(config.run, config.experiment, *evaluator, &directory);
  Experiment experiment(space, space_reference(config), *evaluator, *strategy, directory.path());
  TORCH_CHECK(!again || experiment.retry(*again) > 0, "--retry failed: no trial in ",
              config.run.out, " has failed");
  observer.begin(experiment);
  const std::unique_ptr<Runner> runner =
      make_runner(program, config, *evaluator, space.mutables(), directory.path(),
                  [&observer] { return observer.stop_requested(); });
  const ExperimentEnding ending = run(experiment, config, *runner, observer, directory);
  std::cout << counted(experiment) << "; " << reason(ending) << '\n';
  if (const auto& best = experiment.best()) {
    std::cout << "architecture " << config.run.out << "/architecture.json\n";
    print_best(*best, experiment.objectives());
    if (experiment.objectives().size() > 1) {
      std::cout << "front of " << write_front(experiment, directory) << " trials " << config.run.out
                << "/front.svg" << std::endl;
    }
  }
  if (ending == ExperimentEnding::Stopped) {
    return kInterrupted;
  }
  TORCH_CHECK(ending != ExperimentEnding::Failures, experiment.failures().to_string(),
              "; mend the cause, then give the same command with --resume --retry failed");
  if (experiment.n_trials() == 0 && ending == ExperimentEnding::Exhausted) {
    check_window(config, space);
  }
  TORCH_CHECK(experiment.best().has_value(), "no trial succeeded: see retia show ", config.run.out);
  return kDone;
}

}  // namespace

Command commands::explore() {
  return configured({.name = "explore",
                     .summary = "multi-trial search; writes the best architecture.json",
                     .flags = with_run_flags({"strategy", "evaluator", "epochs", "max-trials",
                                              "max-duration", "concurrency", "merge", "runner",
                                              "use-active-gpu", "table", "keep-weights"}),
                     .required = {"out"},
                     .sections = {"strategy", "evaluator", "experiment", "runner", "profile"}},
                    run_explore);
}

}  // namespace retia
