#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/experiment/trial_log.h"
#include "engine/ir/space.h"
#include "engine/ir/window.h"
#include "engine/strategy.h"

namespace retia {

struct ExperimentOptions {
  int64_t max_trials = 0;  ///< that have ended in any way, former runs' too; 0: no limit
  /// Seconds of trials, former runs' too, after which none begins; 0: no limit.
  double max_duration = 0;
  ir::Window window = {};               ///< what a model may cost to be proposed
  std::vector<std::string> costs = {};  ///< further objectives: multiply_adds, parameters
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ExperimentOptions, max_trials, max_duration, window,
                                                costs)

/// Who watches an experiment, and may end it.
class ExperimentObserver {
 public:
  virtual ~ExperimentObserver() = default;
  virtual void on_begin(const Proposal&) {}
  virtual void on_end(const TrialRecord&) {}
  /// Asked between trials, and by evaluators now and then. true: the running trial is dropped, to
  /// be tried again when the experiment is resumed.
  virtual bool stop_requested() { return false; }
};

enum class ExperimentEnding { Exhausted, MaxTrials, MaxDuration, Stopped };

/// Tries what a strategy proposes, one after the other in this process: asks, freezes the space,
/// evaluates the model, tells. Keeps `trials.jsonl` (see TrialLog) and, of the best so far,
/// `architecture.json` in a folder; in memory only the best. The same folder again, with an equally
/// made strategy, continues where the last one stopped: no trial that has ended is run again.
class Experiment {
 public:
  /// Reads what the folder, which must exist, holds, and tells the strategy of it. `evaluator` and
  /// `strategy` outlive the experiment; `strategy` has not been asked yet. Throws when the trials
  /// there are not those that the strategy proposes.
  Experiment(ir::Space space, std::string space_name, Evaluator& evaluator, Strategy& strategy,
             std::filesystem::path folder);

  /// Runs trials until the strategy is exhausted or a limit is reached. What was stopped goes on in
  /// a new Experiment. A trial that fails, or
  /// whose architecture makes no model, is recorded with what it says and stops nobody.
  ExperimentEnding run(const ExperimentOptions& options, ExperimentObserver& observer);

  /// One trial and nothing kept, to find mistakes in a space, its graph mutators or an evaluator:
  /// evaluates what `strategy` proposes first in this process. What goes wrong is thrown.
  static TrialRecord debug_run(const ir::Space& space, Evaluator& evaluator, Strategy& strategy,
                               ExperimentObserver& observer);

  /// How many have ended.
  int64_t n_trials() const { return n_trials_; }

  /// All of them, in the order of their ids, read from the log.
  std::vector<TrialRecord> trials() const;

  /// The records are not kept in memory: calls `visit` for each.
  void each_trial(const std::function<void(const TrialRecord&)>& visit) const { log_.each(visit); }

  /// The one with the best first objective, the earliest of equals; none: none has succeeded.
  const std::optional<TrialRecord>& best() const { return best_; }

  const std::vector<Objective>& objectives() const { return objectives_; }

 private:
  void replay();
  ExperimentEnding run_trials(const ExperimentOptions& options, ExperimentObserver& observer);
  TrialRecord try_out(const Proposal& proposal, ExperimentObserver& observer);
  void evaluate(TrialRecord& record, ExperimentObserver& observer);
  /// Whether it is the best so far.
  bool tell(const TrialRecord& record);
  void write_best() const;
  double gain(double objective, size_t i) const;

  ir::Space space_;
  std::string space_name_;
  std::vector<Mutable> mutables_;
  Evaluator& evaluator_;
  std::vector<Objective> objectives_;
  Strategy& strategy_;
  std::filesystem::path folder_;
  TrialLog log_;
  int64_t n_trials_ = 0;
  std::optional<TrialRecord> best_;
  double seconds_ = 0;  // of all trials
};

}  // namespace retia
