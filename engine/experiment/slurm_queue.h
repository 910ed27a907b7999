#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/io/option.h"

namespace retia {

struct SlurmOptions {
  std::string partition = "";  ///< empty: the default of the cluster
  std::string time = "";       ///< time limit of a job, as sbatch takes it; empty: the partition's
  std::string arguments = "";  ///< further arguments of sbatch or srun, quoted as in a shell
  double poll = 2;             ///< seconds between two queries of the queue
  int64_t retries = 2;         ///< number of times a lost job is queued again
};
inline std::vector<Option> declared(SlurmOptions& o) {
  return {
      option("partition", o.partition, "partition; empty: the default of the cluster"),
      option("time", o.time, "time limit of a job, as sbatch takes it"),
      option("arguments", o.arguments, "further arguments of sbatch or srun"),
      option("poll", o.poll, Range::above(0), "seconds between two queries of the queue"),
      option("retries", o.retries, Range{0, 1e6}, "times that a lost job is queued again"),
  };
}

/// The state of a job in Slurm.
struct SlurmState {
  std::string name;    ///< "RUNNING"
  std::string reason;  ///< "TimeLimit"; "None" where there is no reason
};

/// Returns whether a job may still give results; false where it has ended, or Slurm holds it
/// forever.
bool is_alive(const SlurmState& state);

/// Parses lines of ID|STATE|REASON; returns id → state.
std::map<std::string, SlurmState> parse_states(const std::string& lines);

/// A queue of jobs run by Slurm, each `PROGRAM trial FILE`, with its output appended to `log.txt`
/// beside the file.
class SlurmQueue {
 public:
  virtual ~SlurmQueue() = default;

  /// Submits one job per file, all together; returns their ids, in order. None: Slurm did not
  /// answer, but may have accepted them. Throws Slurm's message where it refuses them.
  virtual std::optional<std::vector<std::string>> submit(
      const std::vector<std::filesystem::path>& files) = 0;

  /// Returns the states of the jobs that Slurm still knows. None: Slurm did not answer.
  virtual std::optional<std::map<std::string, SlurmState>> states(
      const std::vector<std::string>& ids) = 0;

  /// Returns the live jobs, whoever submitted them: trial file → id. None: Slurm did not answer.
  virtual std::optional<std::map<std::filesystem::path, std::string>> submitted() = 0;

  /// Cancels jobs; returns false where Slurm did not answer.
  virtual bool cancel(const std::vector<std::string>& ids) = 0;
};

/// Opens the queue: batch jobs, several as a job array; inside an allocation, job steps. `threads`:
/// CPUs per job; 0: as `options` or the cluster say. `trials`: the folder of the trial files,
/// visible on all nodes. Throws where this machine has no Slurm.
std::unique_ptr<SlurmQueue> open_slurm(const SlurmOptions& options, int64_t threads,
                                       const std::filesystem::path& trials,
                                       const std::filesystem::path& program);

}  // namespace retia
