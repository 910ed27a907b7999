#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/io/metrics.h"
#include "engine/mutable.h"

namespace retia {

/// What became of one trial.
struct TrialRecord {
  Proposal proposal;
  TrialStatus status = TrialStatus::Failed;
  std::vector<double> objectives = {};         ///< as the evaluator gave them
  std::map<std::string, double> metrics = {};  ///< likewise
  std::string error = {};                      ///< unless succeeded
  double seconds = 0;                          ///< that it took

  friend bool operator==(const TrialRecord&, const TrialRecord&) = default;
};

/// The finished trials of an experiment in a file, a line each, in the order of their ids. The
/// first line is a header, `"format": "retia.trials", "version": 1`. A process killed at any moment
/// leaves whole lines and at most one in part, which is dropped when the file is opened again.
class TrialLog {
 public:
  /// Opens `path`, or makes it. `space`: the name of the space that `mutables` are of. Throws one
  /// line that names the file when it is of another space, version or evaluator, or damaged.
  TrialLog(std::filesystem::path path, const std::vector<Mutable>& mutables,
           const std::string& space, const std::vector<Objective>& objectives);

  /// Calls `visit` for each trial, in order, one at a time in memory. Throws one line that names
  /// the file, and the line, where it is damaged.
  void each(const std::function<void(const TrialRecord&)>& visit) const;

  /// Adds a line. It survives this process when this returns, and the machine a moment later.
  void append(const TrialRecord& record);
  /// Waits until all lines are on the disk.
  void sync();

  const std::filesystem::path& path() const { return path_; }

 private:
  void open(const std::string& space, const std::vector<Objective>& objectives);

  std::filesystem::path path_;
  std::vector<Mutable> mutables_;
  MetricsWriter file_;
  std::chrono::steady_clock::time_point synced_ = {};
};

/// A log as it is written, for those who only show it: they need not know the space.
struct ListedTrials {
  std::string space;
  std::vector<Objective> objectives;
  std::vector<Json> trials;  ///< `trial`, `status`, `choices`, `objectives` (a list), `metrics`, …
};

/// Reads a log that another process may be writing. Throws one line that names the file.
ListedTrials list_trials(const std::filesystem::path& path);

}  // namespace retia
