#pragma once

#include <chrono>
#include <deque>
#include <functional>

#include "engine/experiment/job_files.h"
#include "engine/experiment/slurm_queue.h"

namespace retia {

/// Runs each job on a Slurm cluster whose nodes see the experiment's folder: as a batch job, or as
/// a step where this process runs in an allocation. While one runs, `trials/<id>/` has its files
/// and `slurm.json`, which says what Slurm calls it, so that the jobs of a manager that was killed
/// are gone on with. One that ends without results, because of its node, its time or a
/// cancellation, is queued again; several trials of a job one by one.
class SlurmRunner final : public Runner {
 public:
  /// queue: where jobs are given to, see open_slurm. mutables: see TrialFile. warn: told when Slurm
  /// does not answer, which is waited out. Throws on options out of range.
  SlurmRunner(std::unique_ptr<SlurmQueue> queue, TrialSetting setting,
              std::vector<Mutable> mutables, std::filesystem::path folder, int64_t concurrency,
              const SlurmOptions& options, std::function<void(const std::string&)> warn);

  int64_t concurrency() const override { return concurrency_; }
  /// Jobs are submitted by the next wait(), together.
  void start(Job job, bool recovered = false) override;
  /// Throws what Slurm says where it refuses a job.
  std::vector<TrialResult> wait(double seconds) override;
  void stop() override;

 private:
  using Clock = std::chrono::steady_clock;

  /// A job on its way.
  struct Attempt {
    Job job;
    std::string id = {};  ///< what Slurm calls it
    int64_t n_starts = 0, n_deaths = 0;
    bool maybe_submitted = false;  ///< by a manager that was killed, or when Slurm did not answer
    bool gone = false;             ///< had ended, as the last look told, but left no results
  };

  JobFiles files_of(const Attempt& attempt) const { return {folder_, attempt.job}; }
  void recover(Attempt attempt);
  void find_submitted();
  void submit();
  void look();
  void collect();
  void settle(Attempt attempt, const std::string& end);
  void write_record(const Attempt& attempt) const;
  void finish(const Attempt& attempt, std::vector<TrialResult> results);
  void stopped(const Attempt& attempt);
  /// Remembers whether Slurm has answered, and warns when it first does not.
  bool answered(bool yes);

  std::unique_ptr<SlurmQueue> queue_;
  TrialSetting setting_;
  std::vector<Mutable> mutables_;
  std::filesystem::path folder_;
  int64_t concurrency_;
  SlurmOptions options_;
  std::function<void(const std::string&)> warn_;

  bool may_ask_ = true;  // it has not failed to answer since the last look
  bool warned_ = false;
  Clock::time_point next_look_ = {};
  std::deque<Attempt> waiting_;
  std::vector<Attempt> running_;
  std::vector<TrialResult> finished_;
  std::vector<JobFiles> finished_files_, taken_files_;
};

}  // namespace retia
