#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/experiment/trial_record.h"
#include "engine/io/sqlite.h"
#include "engine/mutable.h"

namespace retia {

/// One run of an experiment's manager, of which a resumed experiment has several.
struct ManagerRun {
  double began = 0;       ///< seconds since 1970, UTC
  std::string host = {};  ///< where
  int64_t process = 0;    ///< its number there
  int64_t concurrency = 1, merge = 1;
  int64_t max_trials = 0;   ///< 0: no limit
  double max_duration = 0;  ///< seconds of the whole experiment; 0: no limit
};

/// The trials of an experiment in an SQLite file, `"retia.experiment"`, version 1, of three tables:
/// `meta` says what they are of, `runs` has a row a run, `trials` one a trial, from the moment that
/// it is begun. The manager alone writes; anybody may read meanwhile (see list_trials). What was
/// written survives this process, killed at any moment, and the machine a moment later.
class TrialStore {
 public:
  /// Opens `path`, or makes it. `space`: the name of the space that `mutables` are of. Throws one
  /// line that names the file when it is of another space, version or evaluator, or damaged.
  TrialStore(const std::filesystem::path& path, const std::vector<Mutable>& mutables,
             const std::string& space, const std::vector<Objective>& objectives);

  /// Calls `visit` for each trial, in the order of ids, one at a time in memory. Throws one line
  /// that names the file, and the trial, where it is damaged.
  void each(const std::function<void(const TrialRecord&)>& visit) const;

  /// Adds trials, or replaces those of the same ids; all or none.
  void write(std::span<const TrialRecord> records);

  void begin_run(const ManagerRun& run);
  /// How long the run has lasted, and why it has ended; empty: it goes on.
  void update_run(double seconds, const std::string& ending = "");
  /// Of all runs so far.
  double seconds() const;

  const std::filesystem::path& path() const { return database_.path(); }

 private:
  mutable Database database_;  // of which reading also changes the handle
  std::vector<Mutable> mutables_;
  Statement write_, update_run_;
  int64_t run_ = 0;
};

/// A store as it is written, for those who only show it: they need not know the space.
struct ListedTrials {
  std::string space;
  std::vector<Objective> objectives;
  /// `trial`, `status`, `choices`, `epochs`, `continues`, `objectives` (a list), `metrics`,
  /// `intermediate`, `error`, `seconds`, `started` and `ended` (seconds since 1970, UTC; null: has
  /// not), `host`, `log`, `attempts`, `seed`, `model` (equal ones have equal ones).
  std::vector<Json> trials;
  /// `began`, `seconds`, `host`, `process`, `concurrency`, `merge`, `max_trials`, `max_duration`,
  /// `ending` (empty: it goes on, or was killed).
  std::vector<Json> runs;
};

/// Reads the store in an experiment's folder, which another process may be writing. Throws one line
/// that names the file.
ListedTrials list_trials(const std::filesystem::path& folder);

/// The store's file in the folder of an experiment.
std::filesystem::path store_path(const std::filesystem::path& folder);

}  // namespace retia
