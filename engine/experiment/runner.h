#pragma once

#include <string>
#include <vector>

#include "retia/engine/evaluator.h"

namespace retia {

/// The trials that one process runs, one after the other or merged (see
/// Evaluator::evaluate_merged).
struct Job {
  /// One per trial; empty graphs where the evaluator reads no model.
  std::vector<ir::Graph> models = {};
  std::vector<Proposal> proposals = {};
  std::vector<double> floors = {};  ///< see Trial
  /// Number of the attempt, used where processes of earlier attempts may still run; see
  /// result_path.
  int64_t attempt = 0;
};

/// The end of one trial, whichever runner ran it.
struct TrialResult {
  Proposal proposal = {};
  Evaluation evaluation = {};
  double seconds = 0;     ///< running time
  std::string host = {};  ///< machine on which it ran
  /// Path of its output, relative to the experiment's folder; empty: no output.
  std::string log = {};
  int64_t n_attempts = 1;  ///< number of starts, e.g. after its machine was lost
};

/// Runs trials somewhere: in this process, in others on this machine, on a cluster.
class Runner {
 public:
  virtual ~Runner() = default;

  /// Returns the number of jobs that may run at once.
  virtual int64_t concurrency() const = 0;

  /// Starts a job. Throws where no job can be run at all; an error of one job is in its results.
  /// `recovered`: an earlier process may have started the job already; its results then count.
  virtual void start(Job job, bool recovered = false) = 0;

  /// Returns the results that came in since the last call, in any order; waits up to `seconds` for
  /// one. Trials that were stopped have the status Stopped.
  virtual std::vector<TrialResult> wait(double seconds) = 0;

  /// Stops all running jobs. Their trials will be run again.
  virtual void stop() = 0;
};

}  // namespace retia
