#pragma once

#include <chrono>
#include <deque>
#include <functional>

#include "retia/engine/experiment/job_files.h"
#include "retia/engine/experiment/slurm_queue.h"

namespace retia {

/// Runs each job on a Slurm cluster whose nodes see the experiment's folder: as a batch job, or as
/// a job step where this process runs inside an allocation. While a job runs, its files are in
/// `trials/<id>/`, with `slurm.json`, which holds its Slurm id, so that a restarted experiment
/// finds the jobs of a killed one. A job that ends without results (node lost, time limit,
/// cancelled) is queued again; several trials of a job then one by one.
class SlurmRunner final : public Runner {
 public:
  /// `queue`: see open_slurm. `mutables`: see TrialFile. `warn`: called when Slurm does not answer;
  /// the runner keeps trying. Throws on options out of range.
  SlurmRunner(std::unique_ptr<SlurmQueue> queue, TrialSetting setting,
              std::vector<Mutable> mutables, std::filesystem::path folder, int64_t concurrency,
              const SlurmOptions& options, std::function<void(const std::string&)> warn);

  int64_t concurrency() const override { return concurrency_; }
  /// Accepts a job; the next wait() submits all accepted jobs together.
  void start(Job job) override;
  /// Submits jobs and returns results (see Runner::wait). Throws Slurm's message where it refuses a
  /// job.
  std::vector<Trial> wait(double seconds) override;
  void stop() override;

 private:
  using Clock = std::chrono::steady_clock;

  /// A job that waits or runs.
  struct Attempt {
    Job job;
    std::string id = {};  ///< id in Slurm
    int64_t n_starts = 0;
    bool maybe_submitted = false;  ///< by a killed process, or while Slurm did not answer
    bool gone = false;             ///< had ended at the last query, but left no results
  };

  JobFiles files_of(const Attempt& attempt) const { return {folder_, attempt.job}; }
  void recover(Attempt attempt);
  void find_submitted();
  void submit();
  void look();
  void collect();
  void settle(Attempt attempt, const std::string& end);
  void write_record(const Attempt& attempt) const;
  void finish(const Attempt& attempt, std::vector<Trial> trials);
  void stopped(Attempt attempt);
  /// Records whether Slurm has answered; warns at the first missing answer.
  bool answered(bool yes);

  std::unique_ptr<SlurmQueue> queue_;
  TrialSetting setting_;
  std::vector<Mutable> mutables_;
  std::filesystem::path folder_;
  int64_t concurrency_;
  SlurmOptions options_;
  std::function<void(const std::string&)> warn_;

  bool may_ask_ = true;  // Slurm has answered since the last query
  bool warned_ = false;
  Clock::time_point next_look_ = {};
  std::deque<Attempt> waiting_;
  std::vector<Attempt> running_;
  std::vector<Trial> finished_;
  std::vector<JobFiles> finished_files_, taken_files_;
};

}  // namespace retia
