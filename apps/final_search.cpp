#include "retia/apps/final_search.h"

#include <algorithm>
#include <iostream>

#include "retia/apps/recalled.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/experiment/inline_runner.h"
#include "retia/engine/experiment/ranked_runner.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/folders.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"

namespace retia {
namespace {

/// Shows the trials of a final search and keeps the best of them in files.
class FinalSearchObserver final : public ExperimentObserver {
 public:
  FinalSearchObserver(RunObserver& run, const Config& config, std::filesystem::path log)
      : run_(run), progress_(std::cerr, progress_options(config.run)) {
    progress_.log_to(log);
  }

  /// Takes over the trials that earlier runs have completed. `experiment` must live as long as this
  /// object.
  void watch(const Experiment& experiment, const FinalSearch& search,
             const std::function<void(size_t rank, const Trial&)>& write) {
    write_ = write;
    n_top_ = static_cast<size_t>(search.n_top);
    objective_ = experiment.objectives().front();
    experiment.each_trial([this](const Trial& trial) { rank(trial); });
    const int64_t n_done = experiment.n_trials();
    if (n_done > 0) {
      progress_.note("final search: resumed after trial " + std::to_string(n_done - 1));
    }
    progress_.begin({.title = "final search", .n_steps = search.max_trials - n_done});
  }

  void on_end(const Trial& trial) override {
    rank(trial);
    NamedNumbers shown;
    if (has_succeeded(trial)) {
      shown.emplace_back("score", trial.evaluation.objectives.front());
    } else {
      progress_.note("trial " + std::to_string(trial.proposal.id) + ": " + trial.evaluation.error);
    }
    if (!top_.empty()) {
      shown.emplace_back("best", top_.front().evaluation.objectives.front());
    }
    progress_.step(0, shown);
  }

  bool stop_requested() override { return run_.stop_requested(); }

  void end(ExperimentEnding ending) {
    progress_.end();
    if (ending == ExperimentEnding::Stopped) {
      progress_.note("stopped in the final search; continue with the same command and --resume");
    }
  }

 private:
  /// Puts a trial among the best few, and writes those whose place it changed.
  void rank(const Trial& trial) {
    if (!has_succeeded(trial)) {
      return;
    }
    const auto worse = std::find_if(top_.begin(), top_.end(), [&](const Trial& other) {
      return standing(objective_, trial) < standing(objective_, other);
    });
    const auto first = static_cast<size_t>(worse - top_.begin());
    top_.insert(worse, trial);
    if (top_.size() > n_top_) {
      top_.pop_back();
    }
    for (size_t i = first; i < top_.size(); ++i) {
      write_(i + 1, top_[i]);
    }
  }

  RunObserver& run_;
  Progress progress_;
  std::function<void(size_t, const Trial&)> write_;
  Objective objective_;
  std::vector<Trial> top_;  // the best first
  size_t n_top_ = 0;
};

/// Runs the trials, by `runner`, as an experiment in the folder of the run.
std::optional<Architecture> run_trials(const FinalSearch& search, Runner& runner,
                                       const ir::Graph& space, const RunDirectory& directory,
                                       RunObserver& observer, const Config& config) {
  const std::filesystem::path folder = directory.file("final_search");
  make_folders(folder / "top");
  FinalSearchObserver trials(observer, config, directory.file("log.txt"));
  Experiment experiment(space, space_reference(config), *search.evaluator, *search.strategy,
                        folder);
  trials.watch(experiment, search, [&](size_t rank, const Trial& trial) {
    write_json(folder / "top" / (std::to_string(rank) + ".json"),
               to_json(trial.proposal.architecture, ir::mutables(space), space_reference(config)));
  });
  const ExperimentEnding ending = experiment.run(
      {.max_trials = search.max_trials, .max_failures = search.max_trials}, runner, trials);
  trials.end(ending);
  if (ending == ExperimentEnding::Stopped) {
    return std::nullopt;
  }
  const std::optional<Trial>& best = experiment.best();
  TORCH_CHECK(best.has_value(), "no architecture could be scored: see retia show ",
              folder.string());
  return ir::completed(space, best->proposal.architecture);
}

}  // namespace

std::optional<Architecture> final_architecture(OneShotTrainer& trainer,
                                               const std::optional<RunDirectory>& directory,
                                               RunObserver& observer, const Config& config,
                                               Ranks& ranks) {
  const std::optional<FinalSearch> search = trainer.final_search();
  if (!search) {
    return trainer.export_architecture();
  }
  const ir::Graph& space = trainer.network()->graph();
  const auto stop_requested = [&] { return observer.stop_requested(); };
  if (ranks.size() == 1) {
    InlineRunner alone(*search->evaluator, {}, stop_requested);
    return run_trials(*search, alone, space, *directory, observer, config);
  }
  RankedRunner together(*search->evaluator, ranks, stop_requested);
  if (!directory) {
    return together.follow();
  }
  const std::optional<Architecture> found =
      run_trials(*search, together, space, *directory, observer, config);
  ranks.check();
  together.conclude(found);
  return found;
}

}  // namespace retia
