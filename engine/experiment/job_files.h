#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/experiment/trial_file.h"

namespace retia {

/// The files of a job that runs in its own process, in `trials/<id of its first trial>/` of the
/// experiment's folder.
struct JobFiles {
  JobFiles(const std::filesystem::path& experiment, const Job& job);
  /// The files of attempt `attempt` in the folder of a job.
  explicit JobFiles(std::filesystem::path job_folder, int64_t attempt = 0);

  std::filesystem::path folder;
  std::filesystem::path trial;   ///< see TrialFile
  std::filesystem::path result;  ///< results of this attempt
  std::filesystem::path log;     ///< output of the process

  /// Makes the folder, removes results of the attempt and writes the trial file.
  void write(const TrialFile& file) const;

  /// Returns the trials of `job` with the results that it left; none where results are incomplete
  /// or the job was stopped.
  std::optional<std::vector<Trial>> results(const Job& job) const;

  /// Returns the last non-blank line of the log; empty where there is none.
  std::string last_words() const;

  /// Returns the log's path relative to the experiment's folder; empty where the log is empty.
  std::string log_name() const;

  /// Removes all files, except a log that is not empty.
  void remove() const;
};

/// Returns a job with `trial` alone.
Job alone(Trial trial);

}  // namespace retia
