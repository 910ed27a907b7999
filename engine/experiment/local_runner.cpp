#include "retia/engine/experiment/local_runner.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <set>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/patience.h"
#include "retia/engine/io/process.h"

namespace retia {
namespace {

constexpr double kSecondsBetweenGpuQuestions = 1;
constexpr double kFirstPause = 0.05, kLongestPause = 5;  // seconds, while no process can be made

}  // namespace

LocalRunner::LocalRunner(TrialSetting setting, std::vector<Mutable> mutables,
                         std::filesystem::path folder, int64_t concurrency,
                         const LocalRunnerOptions& options, std::filesystem::path program,
                         std::function<void(const std::string&)> warn)
    : setting_(std::move(setting)),
      mutables_(std::move(mutables)),
      folder_(std::move(folder)),
      concurrency_(concurrency),
      options_(options),
      processes_(std::move(program), std::move(warn)) {
  TORCH_CHECK(concurrency >= 1, "--concurrency must be at least 1, got ", concurrency);
  check_declared(options, "runner");
  if (setting_.device == "cuda") {
    gpus_.emplace(options.gpus, options.use_active_gpu ? ActiveGpus::Use : ActiveGpus::LeaveAlone);
  }
  if (setting_.threads == 0) {
    setting_.threads = std::max<int64_t>(1, at::get_num_threads() / concurrency);
  }
}

LocalRunner::~LocalRunner() {
  // Where something was thrown the last results may not have been recorded.
  if (std::uncaught_exceptions() == 0) {
    forget_taken();
    std::error_code not_empty;
    std::filesystem::remove(folder_ / "trials", not_empty);
  }
}

void LocalRunner::start(Job job) {
  TORCH_CHECK(!job.trials.empty(), "a job needs trials");
  if (!job.recovered) {
    remove_old_files();
  } else if (auto results = files_of(job).results(job)) {
    for (Trial& trial : *results) {
      ++trial.n_attempts;
    }
    finish(files_of(job), std::move(*results));
    return;
  }
  again_.push_back(std::move(job));
  launch();
}

/// Removes the files of jobs whose results an earlier process had recorded before it was killed.
/// Jobs that were not recorded must have been started before this call.
void LocalRunner::remove_old_files() {
  if (std::exchange(removed_old_files_, true) || !std::filesystem::exists(folder_ / "trials")) {
    return;
  }
  std::set<std::filesystem::path> in_use;
  for (const JobFiles& files : finished_files_) {
    in_use.insert(files.folder);
  }
  for (const JobFiles& files : taken_files_) {
    in_use.insert(files.folder);
  }
  for (const auto& [id, job] : running_) {
    in_use.insert(files_of(job).folder);
  }
  for (const Job& job : again_) {
    in_use.insert(files_of(job).folder);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "trials")) {
    if (!in_use.contains(entry.path())) {
      JobFiles(entry.path()).remove();
    }
  }
}

void LocalRunner::launch() {
  while (!again_.empty() && static_cast<int64_t>(running_.size()) < concurrency_ &&
         now() >= launch_at_) {
    const std::optional<std::string> gpu = gpus_ ? gpus_->take() : std::nullopt;
    if (gpus_ && !gpu) {
      return;
    }
    Job next = std::move(again_.front());
    again_.pop_front();
    launch(std::move(next), gpu);
  }
}

void LocalRunner::launch(Job job, const std::optional<std::string>& gpu) {
  const JobFiles files = files_of(job);
  files.write({setting_, mutables_, job});
  std::filesystem::remove(files.log);
  ProcessRequest request{.id = next_id_++,
                         .file = files.trial,
                         .log = files.log,
                         .time_limit = options_.time_limit * static_cast<double>(job.trials.size()),
                         .memory_limit = options_.memory_limit};
  if (gpu) {
    request.environment = {"CUDA_VISIBLE_DEVICES=" + *gpu, "CUDA_DEVICE_ORDER=PCI_BUS_ID"};
    gpus_in_use_[request.id] = *gpu;
  }
  for (Trial& trial : job.trials) {
    ++trial.n_attempts;
  }
  processes_.start(request);
  running_.emplace(request.id, std::move(job));
}

/// Removes the files of results that wait() returned; the caller has recorded them by the time it
/// waits again or ends.
void LocalRunner::forget_taken() {
  for (const JobFiles& files : std::exchange(taken_files_, {})) {
    files.remove();
  }
}

std::vector<Trial> LocalRunner::wait(double seconds) {
  forget_taken();
  launch();
  if (finished_.empty() && !(running_.empty() && again_.empty())) {
    for (const ProcessEnd& end : processes_.wait(seconds_to_wait(seconds))) {
      settle(end);
    }
    launch();
  }
  taken_files_ = std::exchange(finished_files_, {});
  return std::exchange(finished_, {});
}

/// Jobs that wait for a GPU or for a process are looked after in between.
double LocalRunner::seconds_to_wait(double seconds) const {
  if (again_.empty() || static_cast<int64_t>(running_.size()) >= concurrency_) {
    return seconds;
  }
  const double pause = now() < launch_at_ ? launch_at_ - now() : kSecondsBetweenGpuQuestions;
  return std::min(seconds, pause);
}

void LocalRunner::stop() {
  stopping_ = true;
  for (const auto& [id, job] : running_) {
    processes_.stop(id);
  }
  while (!running_.empty()) {
    for (const ProcessEnd& end : processes_.wait(1)) {
      settle(end);
    }
  }
  for (Job& job : std::exchange(again_, {})) {
    finish(std::move(job), {.status = TrialStatus::Stopped}, 0);
  }
  stopping_ = false;
}

void LocalRunner::settle(const ProcessEnd& end) {
  Job job = std::move(running_.extract(end.id).mapped());
  if (const auto gpu = gpus_in_use_.extract(end.id)) {
    gpus_->give_back(gpu.mapped());
  }
  const bool refused = end.cause == EndCause::NotStarted && is_passing(end.code);
  if (!refused) {
    refused_since_.reset();
    pause_ = 0;
  }
  const bool over_limit = end.cause == EndCause::TimedOut || end.cause == EndCause::OutOfMemory;
  if (auto results = files_of(job).results(job)) {
    finish(files_of(job), std::move(*results));
  } else if (stopping_) {
    finish(std::move(job), {.status = TrialStatus::Stopped}, end.seconds);
  } else if (refused) {
    refuse(std::move(job), end.code);
  } else if (end.cause == EndCause::Lost) {
    again_.push_front(std::move(job));
  } else if (job.trials.size() > 1 || (!over_limit && job.n_deaths++ < options_.retries)) {
    run_again(std::move(job));
  } else {
    const std::string error = failure(end, job);
    finish(std::move(job), {.status = TrialStatus::Failed, .error = error}, end.seconds);
  }
}

/// Keeps a job for which no process could be made for a later attempt. Throws where none could be
/// made for minutes.
void LocalRunner::refuse(Job job, int failure) {
  refused_since_ = refused_since_.value_or(now());
  TORCH_CHECK(!running_.empty() || now() < *refused_since_ + kProcessPatience, no_process(failure));
  pause_ = pause_ == 0 ? kFirstPause : std::min(2 * pause_, kLongestPause);
  launch_at_ = now() + pause_;
  for (Trial& trial : job.trials) {
    --trial.n_attempts;
  }
  again_.push_front(std::move(job));
}

/// Runs a job whose process died again: several trials one by one.
void LocalRunner::run_again(Job job) {
  if (job.trials.size() == 1) {
    again_.push_front(std::move(job));
    return;
  }
  for (size_t i = job.trials.size(); i-- > 0;) {
    again_.push_front(alone(std::move(job.trials[i])));
  }
}

void LocalRunner::finish(const JobFiles& files, std::vector<Trial> trials) {
  for (Trial& trial : trials) {
    trial.log = files.log_name();
    finished_.push_back(std::move(trial));
  }
  finished_files_.push_back(files);
}

/// Finishes all trials of a job with the same evaluation.
void LocalRunner::finish(Job job, const Evaluation& evaluation, double seconds) {
  const JobFiles files = files_of(job);
  for (Trial& trial : job.trials) {
    trial.evaluation = evaluation;
    trial.seconds = seconds;
    trial.host = host_name();
  }
  finish(files, std::move(job.trials));
}

std::string LocalRunner::failure(const ProcessEnd& end, const Job& job) const {
  if (end.cause == EndCause::TimedOut) {
    return c10::str("took longer than ", options_.time_limit, " s (runner.time_limit)");
  }
  if (end.cause == EndCause::OutOfMemory) {
    return c10::str("used ", static_cast<int64_t>(end.peak_memory), " MB of memory, more than ",
                    options_.memory_limit, " MB (runner.memory_limit)");
  }
  if (end.cause == EndCause::NotStarted) {
    return no_process(end.code);
  }
  const std::string how =
      end.cause == EndCause::Signalled
          ? c10::str("was ended by signal ", end.code, " (", ::strsignal(end.code), ")")
          : c10::str("ended with code ", end.code, " and no result");
  const std::string said = files_of(job).last_words();
  return "its process " + how + (said.empty() ? "" : ": " + said);
}

}  // namespace retia
