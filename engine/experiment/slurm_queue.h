#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/json.h"

namespace retia {

struct SlurmOptions {
  std::string partition = "";  ///< empty: the cluster's default
  std::string time = "";       ///< limit of a job, as sbatch takes it; empty: the partition's
  std::string arguments = "";  ///< further ones of sbatch or srun, as in a shell
  double poll = 2;             ///< seconds between two looks at the queue
  int64_t retries = 2;         ///< how often a job that was lost is queued again
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SlurmOptions, partition, time, arguments, poll,
                                                retries)

/// What Slurm says of a job.
struct SlurmState {
  std::string name;    ///< "RUNNING"
  std::string reason;  ///< "TimeLimit"; "None" where there is none
};

/// Whether a job has yet to give its results; not: it has ended, or Slurm holds it for good.
bool is_alive(const SlurmState& state);

/// Lines of ID|STATE|REASON, by id.
std::map<std::string, SlurmState> parse_states(const std::string& lines);

/// Jobs that Slurm runs, each `PROGRAM trial FILE`, its output added to `log.txt` beside the file.
class SlurmQueue {
 public:
  virtual ~SlurmQueue() = default;

  /// Has Slurm take up a job for each file, together; their ids, in order. none: Slurm does not
  /// answer, and may have taken them up all the same. Throws what it says where it refuses them.
  virtual std::optional<std::vector<std::string>> submit(
      const std::vector<std::filesystem::path>& files) = 0;

  /// Of those that it has not forgotten. none: it does not answer.
  virtual std::optional<std::map<std::string, SlurmState>> states(
      const std::vector<std::string>& ids) = 0;

  /// Jobs that live, by the files that they were submitted for, by whomever. none: no answer.
  virtual std::optional<std::map<std::filesystem::path, std::string>> submitted() = 0;

  /// Ends them. false: Slurm does not answer.
  virtual bool cancel(const std::vector<std::string>& ids) = 0;
};

/// Batch jobs, several as a job array; inside an allocation its job steps. threads: CPUs
/// that a job asks for; 0: as many as `options` or the cluster say. trials: the folder of the
/// files, which all nodes see. Throws where this machine has no Slurm.
std::unique_ptr<SlurmQueue> open_slurm(const SlurmOptions& options, int64_t threads,
                                       const std::filesystem::path& trials,
                                       const std::filesystem::path& program);

}  // namespace retia
