#pragma once

#include <string>
#include <vector>

#include "engine/evaluator.h"

namespace retia {

/// Trials to be run in one process, one after the other or, where there are several, at once (see
/// Evaluator::evaluate_merged).
struct Job {
  std::vector<ir::Graph> models = {};  ///< one a trial; empty graphs where nobody reads them
  std::vector<Proposal> proposals = {};
  std::vector<double> floors = {};  ///< see Trial
  int64_t attempt = 0;  ///< counts where its processes may outlive one another; see result_path
};

/// How a trial ended, wherever it ran.
struct TrialResult {
  Proposal proposal = {};
  Evaluation evaluation = {};
  double seconds = 0;      ///< that it took
  std::string host = {};   ///< where
  std::string log = {};    ///< path of what it printed, in the experiment's folder; empty: nothing
  int64_t n_attempts = 1;  ///< how often it was started, e.g. after its machine was lost
};

/// Where trials run: this process, others on this machine, a cluster.
class Runner {
 public:
  virtual ~Runner() = default;

  /// How many jobs may run at once.
  virtual int64_t concurrency() const = 0;

  /// Takes a job up. Throws where jobs cannot be run at all; what is wrong with one job is in its
  /// results. Where `recovered` says so the job may have been taken up by a former manager, whose
  /// result then counts.
  virtual void start(Job job, bool recovered = false) = 0;

  /// Results that have come in since the last call, in any order; waits for one up to `seconds`.
  /// Those of trials that were stopped have the status Stopped.
  virtual std::vector<TrialResult> wait(double seconds) = 0;

  /// Ends all jobs that run. Their trials are to be run again.
  virtual void stop() = 0;
};

}  // namespace retia
