#include "retia/engine/experiment/job_files.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <fstream>

#include "retia/engine/io/folders.h"

namespace retia {

JobFiles::JobFiles(const std::filesystem::path& experiment, const Job& job)
    : JobFiles(experiment / "trials" / std::to_string(job.trials.at(0).proposal.id), job.attempt) {}

JobFiles::JobFiles(std::filesystem::path job_folder, int64_t attempt)
    : folder(std::move(job_folder)),
      trial(folder / "trial.json"),
      result(result_path(trial, attempt)),
      log(folder / "log.txt") {}

void JobFiles::write(const TrialFile& file) const {
  make_folders(folder);
  std::filesystem::remove(result);
  write_trial_file(trial, file);
}

std::optional<std::vector<Trial>> JobFiles::results(const Job& job) const {
  if (!std::filesystem::exists(result)) {
    return std::nullopt;
  }
  try {
    std::vector<Trial> trials = read_results(trial, job);
    const bool complete = std::none_of(trials.begin(), trials.end(), [](const Trial& one) {
      return one.evaluation.status == TrialStatus::Stopped;
    });
    return complete ? std::optional(std::move(trials)) : std::nullopt;
  } catch (const c10::Error&) {
    return std::nullopt;  // of another job, or the machine went down while it was written
  }
}

std::string JobFiles::last_words() const {
  std::ifstream file(log);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      last = line;
    }
  }
  return last;
}

std::string JobFiles::log_name() const {
  std::error_code missing;
  const auto n_bytes = std::filesystem::file_size(log, missing);
  return missing || n_bytes == 0 ? "" : "trials/" + folder.filename().string() + "/log.txt";
}

void JobFiles::remove() const {
  const bool keeps_log = !log_name().empty();
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end;
       entry.increment(ignored)) {
    if (!keeps_log || entry->path() != log) {
      std::filesystem::remove(entry->path(), ignored);
    }
  }
  std::filesystem::remove(folder, ignored);  // where nothing is in it
}

Job alone(Trial trial) {
  Job job;
  job.trials.push_back(std::move(trial));
  return job;
}

}  // namespace retia
