#pragma once

#include <deque>
#include <map>
#include <optional>

#include "retia/engine/experiment/gpus.h"
#include "retia/engine/experiment/job_files.h"
#include "retia/engine/experiment/trial_processes.h"
#include "retia/engine/io/option.h"

namespace retia {

struct LocalRunnerOptions {
  double time_limit = 0;  ///< seconds per trial, after which it fails; 0: no limit
  /// Resident MiB of a trial's processes, above which it fails; 0: no limit.
  double memory_limit = 0;
  int64_t retries = 1;             ///< number of restarts of a trial whose process died
  std::vector<int64_t> gpus = {};  ///< for trials on device cuda; empty: all
  bool use_active_gpu = false;     ///< also use GPUs on which other processes compute
};
inline std::vector<Option> declared(LocalRunnerOptions& o) {
  return {
      option("time_limit", o.time_limit, Range{0}, "seconds per trial; 0: no limit"),
      option("memory_limit", o.memory_limit, Range{0},
             "resident MiB of a trial's processes; 0: no limit"),
      option("retries", o.retries, Range{0, 1e6}, "restarts of a trial whose process died"),
      option("gpus", o.gpus, Range{0, 4096}, "GPUs for trials on device cuda; empty: all"),
      option("use_active_gpu", o.use_active_gpu, "also GPUs on which other processes compute"),
  };
}

/// Runs each job in its own process on this machine, so that crashes, leaks and CUDA errors stay
/// there. While a job runs, its files are in `trials/<id>/` of the experiment's folder; its output
/// remains there as log.txt. If the process of a job of several trials dies, they are run again one
/// by one. Where no process can be made for now, it tries again. All processes die with this one.
class LocalRunner final : public Runner {
 public:
  /// `setting`: threads 0 divides the cores among the jobs; on device cuda each job has its own
  /// GPU. `mutables`: see TrialFile. `program`: a program with the command `trial`; by default this
  /// one. `warn`: see TrialProcesses. Throws on options out of range, and where no GPU is available.
  LocalRunner(TrialSetting setting, std::vector<Mutable> mutables, std::filesystem::path folder,
              int64_t concurrency, const LocalRunnerOptions& options,
              std::filesystem::path program = "/proc/self/exe",
              std::function<void(const std::string&)> warn = {});
  ~LocalRunner() override;

  int64_t concurrency() const override { return concurrency_; }
  void start(Job job) override;
  std::vector<Trial> wait(double seconds) override;
  void stop() override;

 private:
  JobFiles files_of(const Job& job) const { return {folder_, job}; }

  void launch();
  void launch(Job job, const std::optional<std::string>& gpu);
  void settle(const ProcessEnd& end);
  void run_again(Job job);
  void refuse(Job job, int failure);
  double seconds_to_wait(double seconds) const;
  void finish(const JobFiles& files, std::vector<Trial> trials);
  void finish(Job job, const Evaluation& evaluation, double seconds);
  std::string failure(const ProcessEnd& end, const Job& job) const;
  void remove_old_files();
  void forget_taken();

  TrialSetting setting_;
  std::vector<Mutable> mutables_;
  std::filesystem::path folder_;
  int64_t concurrency_;
  LocalRunnerOptions options_;
  std::optional<Gpus> gpus_;
  TrialProcesses processes_;

  bool stopping_ = false, removed_old_files_ = false;
  double pause_ = 0;                     // seconds between two attempts to make a process; 0: none
  double launch_at_ = 0;                 // when the next attempt is made
  std::optional<double> refused_since_;  // since when no process could be made
  int64_t next_id_ = 0;
  std::deque<Job> again_;                       // jobs to start when a GPU or a place is free
  std::map<int64_t, Job> running_;              // key: id of its process
  std::map<int64_t, std::string> gpus_in_use_;  // key: id of the process
  std::vector<Trial> finished_;
  std::vector<JobFiles> finished_files_, taken_files_;
};

}  // namespace retia
