#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/io/metrics.h"
#include "engine/mutable.h"
#include "engine/strategy.h"

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
  /// line that names the file, and the line, when it is of another space or version, or damaged.
  TrialLog(std::filesystem::path path, const std::vector<Mutable>& mutables,
           const std::string& space);

  /// What was there when it was opened.
  const std::vector<TrialRecord>& found() const { return found_; }

  /// Adds a line, which is on the disk when this returns.
  void append(const TrialRecord& record);

  const std::filesystem::path& path() const { return path_; }

 private:
  void read(const std::string& space);

  std::filesystem::path path_;
  std::vector<Mutable> mutables_;
  std::vector<TrialRecord> found_;
  MetricsWriter file_;
};

}  // namespace retia
