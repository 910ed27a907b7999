#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/experiment/trial_file.h"

namespace retia {

/// The files of a job that runs in a process of its own: `trials/<id of its first trial>/` in the
/// experiment's folder.
struct JobFiles {
  JobFiles(const std::filesystem::path& experiment, const Job& job);

  std::filesystem::path folder;
  std::filesystem::path trial;   ///< see TrialFile
  std::filesystem::path result;  ///< of this attempt
  std::filesystem::path log;     ///< what it prints

  /// What it has left; none: nothing whole, or it was stopped.
  std::optional<std::vector<TrialResult>> results(const Job& job) const;

  /// The log's last line with anything in it; empty: none.
  std::string last_words() const;

  /// The log's path within the experiment's folder; empty: nothing is in it.
  std::string log_name() const;

  /// Removes all but a log that says something.
  void remove() const;
};

/// `job` with one of its trials only.
Job alone(const Job& job, size_t i);

}  // namespace retia
