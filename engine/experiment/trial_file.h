#pragma once

#include <filesystem>

#include "retia/engine/experiment/runner.h"
#include "retia/engine/operations/table.h"

namespace retia {

/// The settings that all trials of an experiment share, passed to the processes that run them.
struct TrialSetting {
  std::string space = "";              ///< name of the space, used in tables of known architectures
  Json evaluator = Json::object();     ///< see Evaluator::to_json
  std::string device = "cpu";          ///< device of the models
  std::string precision = "fp32";      ///< dtype in which models compute, see precision.h
  std::string executor = "fused";      ///< the way graphs are run, see Executor
  int64_t threads = 0;                 ///< threads of one operation; 0: all cores
  std::filesystem::path weights = {};  ///< see Trial
};

/// The file that `retia trial FILE` reads: `"format": "retia.trial", "version": 1`, the setting,
/// and the proposal and the model, if any, of each trial.
struct TrialFile {
  TrialSetting setting;           ///< space, evaluator and data, as names and options
  std::vector<Mutable> mutables;  ///< of the space; they give the names of choices
  Job job;                        ///< the trials to run
};

/// Writes the file atomically, for its owner alone to read. Throws one line that names the file.
void write_trial_file(const std::filesystem::path& path, const TrialFile& file);
/// Reads the file. Throws one line that names the file where it is damaged.
TrialFile read_trial_file(const std::filesystem::path& path, const OperationTable& operations);

/// Returns the attempt for which the file was written; 0 where the file is missing or incomplete.
int64_t attempt_of(const std::filesystem::path& trial_file);

/// Returns the path of the results that `retia trial FILE` writes beside its file as its last act.
/// Each attempt has a path of its own, so that the results of an abandoned attempt are not taken
/// for those of the next.
std::filesystem::path result_path(const std::filesystem::path& trial_file, int64_t attempt = 0);
/// Writes results, `"format": "retia.result", "version": 1`, to result_path.
void write_results(const std::filesystem::path& trial_file, const std::vector<Trial>& trials,
                   int64_t attempt = 0);
/// Reads the results of the trials and the attempt of `job`; returns these trials with evaluation,
/// running time and host. Throws one line that names the file where it is damaged or belongs to
/// another job.
std::vector<Trial> read_results(const std::filesystem::path& trial_file, const Job& job);

/// Returns the results of trials as the JSON list that write_results() writes.
Json results_to_json(const std::vector<Trial>& trials);
/// Does what read_results() does, of the list that results_to_json() made.
std::vector<Trial> results_from_json(const Json& list, const Job& job);

}  // namespace retia
