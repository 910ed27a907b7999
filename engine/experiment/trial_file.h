#pragma once

#include <filesystem>

#include "engine/experiment/runner.h"
#include "engine/operations/table.h"

namespace retia {

/// What all trials of an experiment share, for a process that knows nothing of it.
struct TrialSetting {
  std::string space = "";              ///< its name, for the names of architectures in tables
  Json evaluator = Json::object();     ///< see Evaluator::to_json
  std::string device = "cpu";          ///< where models run
  std::string precision = "fp32";      ///< what they compute in
  std::string executor = "fused";      ///< how graphs are run
  int64_t threads = 0;                 ///< of one operation; 0: all cores
  std::filesystem::path weights = {};  ///< see Trial
};

/// A job as `retia trial FILE` reads it: `"format": "retia.trial", "version": 1`, the setting, and
/// of each trial its proposal and model.
struct TrialFile {
  TrialSetting setting;
  std::vector<Mutable> mutables;  ///< of the space: names for the choices
  Job job;
};

/// Writes it atomically. Throws one line that names the file.
void write_trial_file(const std::filesystem::path& path, const TrialFile& file);
/// Throws one line that names the file where it is damaged.
TrialFile read_trial_file(const std::filesystem::path& path, const OperationTable& operations);

/// The attempt that the file is of; 0: there is none, or nothing whole.
int64_t attempt_of(const std::filesystem::path& trial_file);

/// What `retia trial FILE` leaves beside its file, `"format": "retia.result", "version": 1`, as its
/// last act: each attempt its own, so that the end of one that was given up is not taken for the
/// next one's.
std::filesystem::path result_path(const std::filesystem::path& trial_file, int64_t attempt = 0);
void write_results(const std::filesystem::path& trial_file, const std::vector<TrialResult>& results,
                   int64_t attempt = 0);
/// Those of the proposals and the attempt in `job`. Throws one line that names the file where it is
/// damaged or of another job.
std::vector<TrialResult> read_results(const std::filesystem::path& trial_file, const Job& job);

/// The same without a file.
Json results_to_json(const std::vector<TrialResult>& results);
std::vector<TrialResult> results_from_json(const Json& list, const Job& job);

/// Runs the job in this process: the trials at once where they are several, and one by one where
/// that fails. What an evaluator throws fails its trial.
std::vector<TrialResult> run_job(Evaluator& evaluator, const Job& job,
                                 const std::filesystem::path& weights,
                                 const std::function<bool()>& stop_requested);

}  // namespace retia
