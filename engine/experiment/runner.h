#pragma once

#include <vector>

#include "retia/engine/experiment/trial.h"

namespace retia {

/// The trials that one process runs, one after the other or merged (see
/// Evaluator::evaluate_merged).
struct Job {
  std::vector<Trial> trials = {};  ///< at least one, in id order
  /// Whether an earlier process may have started the job already; its results then count.
  bool recovered = false;
  /// Number of the attempt, used where processes of earlier attempts may still run; see
  /// result_path.
  int64_t attempt = 0;
  int64_t n_deaths = 0;  ///< number of attempts that ended without results
};

/// Runs trials somewhere: in this process, in others on this machine, on a cluster.
class Runner {
 public:
  virtual ~Runner() = default;

  /// Returns the number of jobs that may run at once.
  virtual int64_t concurrency() const = 0;

  /// Starts a job. Throws where no job can be run at all; an error of one trial is in its
  /// evaluation.
  virtual void start(Job job) = 0;

  /// Returns the trials that ended since the last call, in any order, with their evaluations; waits
  /// up to `seconds` for one. Trials that were stopped have the status Stopped.
  virtual std::vector<Trial> wait(double seconds) = 0;

  /// Stops all running jobs. Their trials will be run again.
  virtual void stop() = 0;
};

}  // namespace retia
