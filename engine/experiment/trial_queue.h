#pragma once

#include <deque>
#include <map>
#include <optional>

#include "retia/engine/experiment/runner.h"

namespace retia {

/// The trials that a strategy has proposed and that have not ended, as jobs: one is being filled,
/// some wait until a running one ends, the others run. Jobs start in the order in which they were
/// added.
class TrialQueue {
 public:
  /// `n_jobs`: number of jobs that may run at once, ≥ 1. `merge`: number of trials per job, ≥ 1.
  TrialQueue(int64_t n_jobs, int64_t merge) : n_jobs_(n_jobs), merge_(merge) {}

  /// Adds a trial to the job that is being filled. All trials of a job have the pruning thresholds
  /// of its first.
  void add(Trial trial);

  /// Adds a whole job.
  void add(Job job) { waiting_.push_back(std::move(job)); }

  /// Makes the job that is being filled whole, unless it has no trial yet.
  void close();

  /// Returns whether a whole job waits. No trial may then be added.
  bool has_waiting() const { return !waiting_.empty(); }

  /// Returns the next job, which runs from now on; none where none is whole, or where as many run
  /// as may run.
  std::optional<Job> next();

  /// Notes that a trial of a running job has ended. Throws where the trial does not run.
  void end(const Trial& trial);

  /// Returns whether no trial is left.
  bool is_empty() const { return filling_.trials.empty() && waiting_.empty() && n_left_.empty(); }

 private:
  int64_t n_jobs_, merge_;
  Job filling_;
  std::deque<Job> waiting_;
  std::map<int64_t, int64_t> job_of_;  // running trial → first trial of its job
  std::map<int64_t, int64_t> n_left_;  // running job, by its first trial → trials that run
};

}  // namespace retia
