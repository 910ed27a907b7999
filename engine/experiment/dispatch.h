#pragma once

#include <deque>
#include <map>
#include <vector>

#include "engine/experiment/runner.h"
#include "engine/experiment/trial_store.h"
#include "engine/ir/space.h"

namespace retia {

/// Makes jobs of proposals, gives them to a runner, and writes what becomes of each trial into a
/// store before anybody hears of it.
class Dispatch {
 public:
  /// All outlive it.
  Dispatch(const ir::Space& space, const Evaluator& evaluator, TrialStore& store, Runner& runner);

  /// Takes up trials as one job; `recovered`: which a former manager has begun. One whose
  /// architecture makes no model ends at once.
  void start(std::vector<TrialRecord> trials, bool recovered = false);

  /// Whether a job would have to wait for a runner that is busy.
  bool is_full() const { return !waiting_.empty() || is_busy(); }
  /// Whether nothing runs and all that has ended was received.
  bool is_idle() const { return waiting_.empty() && running_.empty() && ended_.empty(); }
  /// Whether a trial was stopped, which is to be run again.
  bool was_stopped() const { return was_stopped_; }

  /// The trials that have ended since the last call; waits for one up to `seconds`.
  std::vector<TrialRecord> receive(double seconds);

  /// Ends what runs, and forgets what waits. Returns what has ended meanwhile.
  std::vector<TrialRecord> stop();

 private:
  struct Waiting {
    std::vector<TrialRecord> trials;
    bool recovered;
  };

  bool is_busy() const { return static_cast<int64_t>(n_of_job_.size()) >= runner_.concurrency(); }
  void start_waiting();
  void start_now(Waiting waiting);
  void collect(double seconds);

  const ir::Space& space_;
  const Evaluator& evaluator_;
  std::vector<Objective> objectives_;
  std::optional<int64_t> seed_;
  TrialStore& store_;
  Runner& runner_;
  std::deque<Waiting> waiting_;
  std::map<int64_t, TrialRecord> running_;  // by trial
  std::map<int64_t, int64_t> n_of_job_;     // trials that run, by job
  std::vector<TrialRecord> ended_;          // and were not received
  bool was_stopped_ = false;
};

/// Seconds since 1970, UTC.
double utc_now();

/// The model of an architecture, its shapes checked.
ir::Graph model_of(const ir::Space& space, const Architecture& architecture);

/// Throws unless a success comes with finite numbers, as many as there are objectives.
void check_evaluation(const Evaluation& evaluation, const std::vector<Objective>& objectives);

}  // namespace retia
