#pragma once

#include <deque>
#include <map>
#include <vector>

#include "retia/engine/experiment/runner.h"
#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/ir/space.h"

namespace retia {

/// Turns proposals into jobs, passes them to a runner, and writes the result of each trial into the
/// store before it is returned.
class Dispatch {
 public:
  /// All arguments must outlive this object.
  Dispatch(const ir::Space& space, const Evaluator& evaluator, TrialStore& store, Runner& runner);

  /// Starts trials as one job. `recovered`: an earlier process had started them. A trial whose
  /// architecture has no valid model ends at once.
  void start(std::vector<TrialRecord> trials, bool recovered = false);

  /// Returns whether a further job would have to wait because the runner is busy.
  bool is_full() const { return !waiting_.empty() || is_busy(); }
  /// Returns whether nothing is running and all ended trials were received.
  bool is_idle() const { return waiting_.empty() && running_.empty() && ended_.empty(); }
  /// Returns whether a trial was stopped and has to be run again.
  bool was_stopped() const { return was_stopped_; }

  /// Returns the trials that ended since the last call; waits up to `seconds` for one.
  std::vector<TrialRecord> receive(double seconds);

  /// Stops running trials and drops waiting ones. Returns the trials that ended meanwhile.
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
  std::map<int64_t, TrialRecord> running_;  // key: id of the trial
  std::map<int64_t, int64_t> n_of_job_;     // job → number of its running trials
  std::vector<TrialRecord> ended_;          // ended, but not yet received
  bool was_stopped_ = false;
};

}  // namespace retia
