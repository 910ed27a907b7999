#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/experiment/runner.h"
#include "engine/experiment/telling.h"
#include "engine/experiment/trial_store.h"
#include "engine/io/lock_file.h"
#include "engine/ir/space.h"
#include "engine/ir/window.h"
#include "engine/strategy.h"

namespace retia {

class Dispatch;

/// Which trials are ended before their time.
enum class EarlyStop {
  None,
  Median  ///< see MedianStop; goes by what the strategy knows when a trial begins
};
NLOHMANN_JSON_SERIALIZE_ENUM(EarlyStop, {{EarlyStop::None, "none"}, {EarlyStop::Median, "median"}})

struct ExperimentOptions {
  int64_t max_trials = 0;   ///< that are begun, former runs' too; 0: no limit
  double max_duration = 0;  ///< seconds, former runs' too, after which none begins; 0: no limit
  int64_t concurrency = 1;  ///< how many jobs run at once
  int64_t merge = 1;        ///< how many trials make a job
  EarlyStop early_stop = EarlyStop::None;
  ir::Window window = {};               ///< what a model may cost to be proposed
  std::vector<std::string> costs = {};  ///< further objectives: multiply_adds, parameters
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ExperimentOptions, max_trials, max_duration,
                                                concurrency, merge, early_stop, window, costs)

/// Who watches an experiment, and may end it.
class ExperimentObserver {
 public:
  virtual ~ExperimentObserver() = default;
  virtual void on_begin(const Proposal&) {}
  /// In the order in which they end.
  virtual void on_end(const TrialRecord&) {}
  /// Asked between trials, and by evaluators now and then. true: running trials are dropped, to be
  /// tried again when the experiment is resumed.
  virtual bool stop_requested() { return false; }
};

enum class ExperimentEnding { Exhausted, MaxTrials, MaxDuration, Stopped };
NLOHMANN_JSON_SERIALIZE_ENUM(ExperimentEnding, {{ExperimentEnding::Exhausted, "exhausted"},
                                                {ExperimentEnding::MaxTrials, "max_trials"},
                                                {ExperimentEnding::MaxDuration, "max_duration"},
                                                {ExperimentEnding::Stopped, "stopped"}})

/// Tries what a strategy proposes: asks, freezes the space, lets a runner score the model, tells.
/// Keeps a store of the trials (see TrialStore) and, of the best so far, `architecture.json` in a
/// folder; in memory only the best, and what runs.
///
/// The strategy hears of outcomes in the order of ids: when it is asked for trial k it knows of all
/// trials up to k − concurrency · merge, and of more only where it waits for them. So the trials of
/// an experiment do not depend on which of those that run together ends first. The same folder
/// again, with an equally made strategy, continues where the last manager stopped or was killed, as
/// if it had not: no trial that has ended is run again, and what was running is.
class Experiment {
 public:
  /// Reads what the folder, which must exist, holds, and tells the strategy of it. `evaluator` and
  /// `strategy` outlive the experiment; `strategy` has not been asked yet. Throws when the trials
  /// there are not those that the strategy proposes, and while another process runs there.
  Experiment(ir::Space space, std::string space_name, Evaluator& evaluator, Strategy& strategy,
             std::filesystem::path folder);

  /// Runs trials until the strategy is exhausted or a limit is reached. What was stopped goes on in
  /// a new Experiment. A trial that fails, or whose architecture makes no model, is recorded with
  /// what it says and stops nobody; where the runner throws the store keeps what has ended.
  ExperimentEnding run(const ExperimentOptions& options, Runner& runner,
                       ExperimentObserver& observer);
  /// In this process, one after the other.
  ExperimentEnding run(const ExperimentOptions& options, ExperimentObserver& observer);

  /// One trial and nothing kept, to find mistakes in a space, its graph mutators or an evaluator:
  /// evaluates what `strategy` proposes first in this process. What goes wrong is thrown.
  static TrialRecord debug_run(const ir::Space& space, Evaluator& evaluator, Strategy& strategy,
                               ExperimentObserver& observer);

  /// How many have ended.
  int64_t n_trials() const { return n_trials_; }

  /// How many a former run left without an end; the next one runs them again.
  int64_t n_interrupted() const { return static_cast<int64_t>(interrupted_.size()); }

  /// Of all runs that have ended.
  double seconds() const { return store_.seconds(); }

  /// All that have ended, in the order of their ids, read from the store.
  std::vector<TrialRecord> trials() const;

  /// The records are not kept in memory: calls `visit` for each of those.
  void each_trial(const std::function<void(const TrialRecord&)>& visit) const;

  /// The one with the best first objective, the earliest of equals; none: none has succeeded.
  const std::optional<TrialRecord>& best() const { return best_; }

  const std::vector<Objective>& objectives() const { return objectives_; }

 private:
  class Clock;

  void replay();
  MedianStop median_of_told() const;
  ExperimentEnding run_trials(const ExperimentOptions& options, int64_t concurrency,
                              Dispatch& dispatch, Clock& clock, ExperimentObserver& observer);
  void start_interrupted(Dispatch& dispatch, ExperimentObserver& observer);
  std::optional<ExperimentEnding> limit(const ExperimentOptions& options, double seconds) const;
  void take(std::vector<TrialRecord> ended, ExperimentObserver& observer);
  /// Whether it is the best so far.
  bool count(const TrialRecord& record);
  void write_best() const;

  ir::Space space_;
  std::string space_name_;
  std::vector<Mutable> mutables_;
  Evaluator& evaluator_;
  std::vector<Objective> objectives_;
  Strategy& strategy_;
  std::filesystem::path folder_;
  LockFile lock_;
  TrialStore store_;
  Telling telling_;
  int64_t n_proposed_ = 0, n_trials_ = 0;
  std::vector<TrialRecord> interrupted_;
  std::optional<TrialRecord> best_;
};

}  // namespace retia
