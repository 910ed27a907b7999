#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/experiment/trial_log.h"
#include "engine/ir/space.h"
#include "engine/strategy.h"

namespace retia {

struct ExperimentOptions {
  int64_t max_trials = 0;  ///< that have ended in any way, former runs' too; 0: no limit
  double max_duration =
      0;  ///< seconds of trials, former runs' too, after which none begins; 0: none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ExperimentOptions, max_trials, max_duration)

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
/// `architecture.json` in a folder. The same folder again, with an equally made strategy, continues
/// where the last one stopped: no trial that has ended is run again.
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

  /// All that have ended, in the order of their ids.
  const std::vector<TrialRecord>& trials() const { return trials_; }

  /// The one with the best first objective, the earliest of equals; none: none has succeeded.
  std::optional<TrialRecord> best() const;

 private:
  void replay();
  TrialRecord try_out(const Proposal& proposal, ExperimentObserver& observer);
  void evaluate(TrialRecord& record, ExperimentObserver& observer);
  void tell(const TrialRecord& record);
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
  std::vector<TrialRecord> trials_;
  std::optional<size_t> best_;  // index in trials_
  double seconds_ = 0;          // of all trials
};

}  // namespace retia
