#pragma once

#include <optional>
#include <vector>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/runner.h"
#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/space/space.h"

namespace retia {

/// Freezes the models of jobs, passes the jobs to a runner, and writes each trial into the store:
/// when it starts, and when it has ended, before it is returned.
class Dispatch {
 public:
  /// All arguments must outlive this object.
  Dispatch(const ir::Space& space, const Evaluator& evaluator, TrialStore& store, Runner& runner);

  /// Starts a job without the trials whose architecture has no valid model; these have ended and
  /// are returned.
  std::vector<Trial> start(Job job);

  /// Returns the trials that ended since the last call; waits up to `seconds` for one.
  std::vector<Trial> receive(double seconds);

  /// Stops running trials. Returns the trials that ended meanwhile.
  std::vector<Trial> stop();

  /// Returns whether a trial was stopped and has to be run again.
  bool was_stopped() const { return was_stopped_; }

 private:
  const ir::Space& space_;
  const Evaluator& evaluator_;
  std::vector<Objective> objectives_;
  std::optional<int64_t> seed_;
  TrialStore& store_;
  Runner& runner_;
  bool was_stopped_ = false;
};

}  // namespace retia
