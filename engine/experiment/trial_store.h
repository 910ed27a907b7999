#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "retia/engine/experiment/trial.h"
#include "retia/engine/io/sqlite.h"
#include "retia/engine/mutables/mutable.h"

namespace retia {

/// One run of an experiment's main process; a resumed experiment has several.
struct ManagerRun {
  double began = 0;         ///< seconds since 1970, UTC
  std::string host = {};    ///< machine on which it ran
  int64_t process = 0;      ///< process id on that machine
  int64_t concurrency = 1;  ///< jobs that ran at once
  int64_t merge = 1;        ///< trials per job
  int64_t max_trials = 0;   ///< 0: no limit
  double max_duration = 0;  ///< seconds of the whole experiment; 0: no limit
};

/// The trials of an experiment in an SQLite file, `"retia.experiment"`, version 1, with four tables:
/// `meta` describes the experiment, `runs` has one row per run, `trials` one row per trial, from its
/// start on, `retries` one row per failure after which a trial ran again. One process writes; others may read meanwhile (see list_trials). A committed
/// row survives a crash of this process, and of the machine a moment later.
class TrialStore {
 public:
  /// Opens `path`, or creates it. `space`: the name of the space of `mutables`. Throws one line
  /// that names the file when it belongs to another space, version or evaluator, or is damaged.
  TrialStore(const std::filesystem::path& path, const std::vector<Mutable>& mutables,
             const std::string& space, const std::vector<Objective>& objectives);

  /// Writes a copy of the store, also where its file was removed since it was opened.
  void copy_to(const std::filesystem::path& path) const;

  /// Calls `visit` for each trial in the order of ids, holding one in memory at a time. Throws one
  /// line that names the file and the trial where it is damaged.
  void each(const std::function<void(const Trial&)>& visit) const;

  /// Adds trials, or replaces those with the same ids; all or none.
  void write(std::span<const Trial> trials);

  /// Replaces failed trials by `trials`, which are to run again under the same ids, and keeps how
  /// they failed; all or none.
  void retry(std::span<const Trial> trials);

  /// Adds a row for a run that begins now; update_run() then completes this row.
  void begin_run(const ManagerRun& run);
  /// Writes the duration of the run so far, and why it ended; empty: it is still running.
  void update_run(double seconds, const std::string& ending = "");
  /// Returns the duration of all runs so far.
  double seconds() const;

  /// Returns the path of the SQLite file.
  const std::filesystem::path& path() const { return database_.path(); }

 private:
  void write_rows(std::span<const Trial> trials);

  mutable Database database_;  // mutable, since reading changes the handle too
  std::vector<Mutable> mutables_;
  Statement write_, update_run_;
  int64_t run_ = 0;
};

/// The contents of a store for display, read without knowing the space.
struct ListedTrials {
  std::string space;                  ///< name of the space
  std::vector<Objective> objectives;  ///< objectives of the evaluator
  /// Each has `trial`, `status`, `choices`, `epochs`, `continues`, `objectives` (a list),
  /// `metrics`, `intermediate`, `error`, `seconds`, `started` and `ended` (seconds since 1970, UTC;
  /// null: not yet), `host`, `log`, `attempts`, `seed`, `model` (a text that equal models share),
  /// `failures` (the errors after which it ran again, the first one first).
  std::vector<Json> trials;
  /// Each has `began`, `seconds`, `host`, `process`, `concurrency`, `merge`, `max_trials`,
  /// `max_duration`, `ending` (empty: still running, or killed).
  std::vector<Json> runs;
};

/// Reads the store in an experiment's folder; another process may be writing it. Throws one line
/// that names the file.
ListedTrials list_trials(const std::filesystem::path& folder);

/// Returns the path of the store in an experiment's folder.
std::filesystem::path store_path(const std::filesystem::path& folder);

}  // namespace retia
