#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/cost/window.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/failures.h"
#include "retia/engine/experiment/kept_weights.h"
#include "retia/engine/experiment/runner.h"
#include "retia/engine/experiment/strategy.h"
#include "retia/engine/experiment/telling.h"
#include "retia/engine/experiment/trial_queue.h"
#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/io/lock_file.h"
#include "retia/engine/io/option.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/space.h"

namespace retia {

class Dispatch;

/// The rule by which trials are stopped early.
enum class StopRule {
  None,
  Median  ///< see MedianStop; uses what the strategy knows when a trial begins
};
NLOHMANN_JSON_SERIALIZE_ENUM(StopRule, {{StopRule::None, "none"}, {StopRule::Median, "median"}})

/// The limits of an experiment, and how its trials run.
struct ExperimentOptions {
  int64_t max_trials = 0;  ///< trials started, in all runs together; 0: no limit
  /// Seconds, in all runs together, after which no trial starts; 0: no limit.
  double max_duration = 0;
  int64_t concurrency = 1;  ///< number of jobs that run at once
  int64_t merge = 1;        ///< number of trials per job
  /// Trials that fail in a row before the experiment ends; 0: ten, or twice the trials that run at
  /// once where these are more.
  int64_t max_failures = 0;
  StopRule early_stop = StopRule::None;
  int64_t keep_weights = 0;  ///< number of best trials whose weights are kept
  ir::Window window = {};    ///< cost limits of models that are proposed
  /// Costs added as objectives: multiply_adds, parameters, latency.
  std::vector<std::string> costs = {};
};
inline std::vector<Option> declared(ExperimentOptions& o) {
  return {
      option("max_trials", o.max_trials, Range{0, 1e12}, "models to try; 0: until exhausted"),
      option("max_duration", o.max_duration, Range{0}, "seconds; 0: no limit"),
      option("concurrency", o.concurrency, Range{1, 4096}, "jobs that run at once"),
      option("merge", o.merge, Range{1, 4096}, "models of a job, which share its work"),
      option("max_failures", o.max_failures, Range{0, 1e12},
             "failures in a row that end the run; 0: by the trials that run at once, at least 10"),
      option("early_stop", o.early_stop, "early stopping of trials"),
      option("keep_weights", o.keep_weights, Range{0, 1e9},
             "number of best trials whose weights are kept"),
      option("window", o.window, "cost limits of models that are proposed"),
      option("costs", o.costs, "further objectives: multiply_adds, parameters, latency"),
  };
}

/// Watches an experiment, and may stop it.
class ExperimentObserver {
 public:
  virtual ~ExperimentObserver() = default;
  /// Called before a trial starts, also when it starts again after an interruption.
  virtual void on_begin(const Proposal&) {}
  /// Called in the order in which trials end.
  virtual void on_end(const Trial&) {}
  /// Polled between trials, and by evaluators now and then. True: running trials are dropped, and
  /// run again when the experiment is resumed.
  virtual bool stop_requested() { return false; }
};

/// The reasons for which an experiment ended.
enum class ExperimentEnding { Exhausted, MaxTrials, MaxDuration, Stopped, Failures };
NLOHMANN_JSON_SERIALIZE_ENUM(ExperimentEnding, {{ExperimentEnding::Exhausted, "exhausted"},
                                                {ExperimentEnding::MaxTrials, "max_trials"},
                                                {ExperimentEnding::MaxDuration, "max_duration"},
                                                {ExperimentEnding::Stopped, "stopped"},
                                                {ExperimentEnding::Failures, "failures"}})

/// Runs a multi-trial search: asks the strategy for proposals, freezes the space, lets a runner
/// score the models, and tells the strategy the outcomes. Keeps a store of all trials (see
/// TrialStore) and the best architecture so far, `architecture.json`, in a folder.
///
/// Outcomes are told in the order of trial ids: when the strategy is asked for trial k, it has been
/// told of all trials up to k − concurrency · merge, and of later ones only where it answered Wait.
/// So the trials of an experiment do not depend on the order in which concurrent trials end. Opened
/// again with the same folder and an equal strategy, an experiment continues where it was stopped
/// or killed: ended trials are not run again, interrupted ones are.
class Experiment {
 public:
  /// Reads the trials stored in `folder`, which must exist, and tells them to `strategy`.
  /// `reference`: how `architecture.json` names the space.
  /// `evaluator` and `strategy` must outlive the experiment; `strategy` has not been asked yet.
  /// Throws when the stored trials are not those that the strategy proposes, and while another
  /// process runs there, where the folder's file system has locks.
  Experiment(ir::Space space, SpaceReference reference, Evaluator& evaluator, Strategy& strategy,
             std::filesystem::path folder);

  /// Makes an experiment that keeps its trials in memory and writes nothing: no weights, and no
  /// `architecture.json`.
  Experiment(ir::Space space, Evaluator& evaluator, Strategy& strategy);

  /// Makes failed trials pending again, under their ids: the next run begins with them, even where
  /// its limits are reached. `ids`: those trials; empty: all that failed. A strategy that was told
  /// of a failure is not told of what comes of it, so that an experiment that is resumed again
  /// proposes the same. Returns their number. Throws where a trial of `ids` has not failed.
  int64_t retry(const std::vector<int64_t>& ids = {});

  /// Runs trials until the strategy is exhausted, a limit is reached or too many trials in a row
  /// have failed; a new Experiment continues stopped trials. A trial that fails, or whose
  /// architecture has no valid model, is recorded with its error, and the experiment goes on. If
  /// the runner throws, the store keeps all trials that ended.
  ExperimentEnding run(const ExperimentOptions& options, Runner& runner,
                       ExperimentObserver& observer);
  /// Runs trials in this process, one after the other.
  ExperimentEnding run(const ExperimentOptions& options, ExperimentObserver& observer);

  /// Runs the first proposal of `strategy` in this process and stores nothing, to find mistakes in
  /// a space, its graph mutators or an evaluator. Throws where the trial has not succeeded, unless
  /// it was stopped.
  static Trial debug_run(const ir::Space& space, Evaluator& evaluator, Strategy& strategy,
                         ExperimentObserver& observer);

  /// The number of trials that have ended.
  int64_t n_trials() const { return n_trials_; }

  /// The number of trials that an earlier run left unfinished; the next run repeats them.
  int64_t n_interrupted() const { return static_cast<int64_t>(interrupted_.size()); }

  /// The duration of all ended runs together.
  double seconds() const { return store_.seconds(); }

  /// Returns all ended trials in the order of their ids, read from the store.
  std::vector<Trial> trials() const;

  /// Writes a copy of the trials' store into `folder`, also where the experiment's own folder was
  /// removed.
  void copy_store(const std::filesystem::path& folder) const { store_.copy_to(store_path(folder)); }

  /// Calls `visit` for each ended trial, read from the store one by one.
  void each_trial(const std::function<void(const Trial&)>& visit) const;

  /// The trial with the best first objective, the earliest of equals; none where none has
  /// succeeded.
  const std::optional<Trial>& best() const { return best_; }

  /// The trials of the last run() that failed after the last one that succeeded.
  const FailureRow& failures() const { return failures_; }

  /// Returns the objectives of the evaluator.
  const std::vector<Objective>& objectives() const { return objectives_; }

 private:
  class Clock;

  /// `folder`: none: in memory.
  Experiment(ir::Space space, SpaceReference reference, std::optional<std::filesystem::path> folder,
             Evaluator& evaluator, Strategy& strategy);
  void replay();
  MedianStop median_of_told() const;
  /// Returns the failed trials of `ids`, or all of them where `ids` is empty; throws as retry().
  std::vector<Trial> failed_trials(const std::vector<int64_t>& ids) const;
  /// Removes weights that are no longer kept.
  void tidy(const Trial& trial);
  ExperimentEnding run_trials(const ExperimentOptions& options, int64_t concurrency,
                              Dispatch& dispatch, Clock& clock, ExperimentObserver& observer);
  void add_interrupted(TrialQueue& queue);
  std::optional<ExperimentEnding> limit(const ExperimentOptions& options, double seconds) const;
  void take(std::vector<Trial> ended, ExperimentObserver& observer);
  /// Counts an ended trial; returns whether it is the best so far.
  bool count(const Trial& trial);
  void write_best() const;

  ir::Space space_;
  SpaceReference reference_;  // written beside architectures
  std::vector<Mutable> mutables_;
  Evaluator& evaluator_;
  std::vector<Objective> objectives_;
  Strategy& strategy_;
  std::optional<std::filesystem::path> folder_;  // none: in memory
  std::optional<LockFile> lock_;
  TrialStore store_;
  Telling telling_;
  std::optional<KeptWeights> kept_weights_;
  int64_t n_proposed_ = 0, n_trials_ = 0;
  std::vector<Trial> interrupted_;
  FailureRow failures_;
  std::optional<Trial> best_;
};

}  // namespace retia
