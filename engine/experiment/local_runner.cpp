#include "retia/engine/experiment/local_runner.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <set>

#include "retia/engine/io/process.h"

namespace retia {
namespace {

constexpr double kSecondsBetweenGpuQuestions = 1;

}  // namespace

LocalRunner::LocalRunner(TrialSetting setting, std::vector<Mutable> mutables,
                         std::filesystem::path folder, int64_t concurrency,
                         const LocalRunnerOptions& options, std::filesystem::path program)
    : setting_(std::move(setting)),
      mutables_(std::move(mutables)),
      folder_(std::move(folder)),
      concurrency_(concurrency),
      options_(options),
      processes_(std::move(program)) {
  TORCH_CHECK(concurrency >= 1, "--concurrency must be at least 1, got ", concurrency);
  TORCH_CHECK(options.time_limit >= 0 && options.memory_limit >= 0 && options.retries >= 0,
              "runner: time_limit, memory_limit and retries must be at least 0, got ",
              options.time_limit, ", ", options.memory_limit, " and ", options.retries);
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

void LocalRunner::start(Job job, bool recovered) {
  TORCH_CHECK(!job.proposals.empty() && job.models.size() == job.proposals.size(),
              "a job needs trials, and a model for each");
  Attempt attempt{std::move(job)};
  if (!recovered) {
    remove_old_files();
  } else if (auto results = files_of(attempt).results(attempt.job)) {
    attempt.n_starts = 1;
    finish(attempt, std::move(*results));
    return;
  }
  waiting_.push_back(std::move(attempt));
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
  for (const auto& [id, attempt] : running_) {
    in_use.insert(files_of(attempt).folder);
  }
  for (const Attempt& attempt : waiting_) {
    in_use.insert(files_of(attempt).folder);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "trials")) {
    if (!in_use.contains(entry.path())) {
      JobFiles(entry.path()).remove();
    }
  }
}

void LocalRunner::launch() {
  while (!waiting_.empty() && static_cast<int64_t>(running_.size()) < concurrency_) {
    Attempt& next = waiting_.front();
    if (gpus_ && !(next.gpu = gpus_->take())) {
      return;
    }
    Attempt attempt = std::move(next);
    waiting_.pop_front();
    launch(std::move(attempt));
  }
}

void LocalRunner::launch(Attempt attempt) {
  const JobFiles files = files_of(attempt);
  files.write({setting_, mutables_, attempt.job});
  std::filesystem::remove(files.log);
  ProcessRequest request{
      .id = next_id_++,
      .file = files.trial,
      .log = files.log,
      .time_limit = options_.time_limit * static_cast<double>(attempt.job.proposals.size()),
      .memory_limit = options_.memory_limit};
  if (attempt.gpu) {
    request.environment = {"CUDA_VISIBLE_DEVICES=" + *attempt.gpu, "CUDA_DEVICE_ORDER=PCI_BUS_ID"};
  }
  ++attempt.n_starts;
  processes_.start(request);
  running_.emplace(request.id, std::move(attempt));
}

/// Removes the files of results that wait() returned; the caller has recorded them by the time it
/// waits again or ends.
void LocalRunner::forget_taken() {
  for (const JobFiles& files : std::exchange(taken_files_, {})) {
    files.remove();
  }
}

std::vector<TrialResult> LocalRunner::wait(double seconds) {
  forget_taken();
  launch();
  if (finished_.empty() && !(running_.empty() && waiting_.empty())) {
    const bool waits_for_gpu =
        !waiting_.empty() && static_cast<int64_t>(running_.size()) < concurrency_;
    for (const ProcessEnd& end : processes_.wait(
             waits_for_gpu ? std::min(seconds, kSecondsBetweenGpuQuestions) : seconds)) {
      settle(end);
    }
    launch();
  }
  taken_files_ = std::exchange(finished_files_, {});
  return std::exchange(finished_, {});
}

void LocalRunner::stop() {
  stopping_ = true;
  for (const auto& [id, attempt] : running_) {
    processes_.stop(id);
  }
  while (!running_.empty()) {
    for (const ProcessEnd& end : processes_.wait(1)) {
      settle(end);
    }
  }
  for (const Attempt& attempt : std::exchange(waiting_, {})) {
    finish(attempt, {.status = TrialStatus::Stopped}, 0);
  }
  stopping_ = false;
}

void LocalRunner::settle(const ProcessEnd& end) {
  Attempt attempt = std::move(running_.extract(end.id).mapped());
  if (attempt.gpu) {
    gpus_->give_back(*std::exchange(attempt.gpu, std::nullopt));
  }
  if (auto results = files_of(attempt).results(attempt.job)) {
    finish(attempt, std::move(*results));
    return;
  }
  if (stopping_) {
    finish(attempt, {.status = TrialStatus::Stopped}, end.seconds);
    return;
  }
  if (end.cause == EndCause::Lost) {
    waiting_.push_front(std::move(attempt));
    return;
  }
  if (const size_t n = attempt.job.proposals.size(); n > 1) {
    for (size_t i = n; i-- > 0;) {
      waiting_.push_front({.job = alone(attempt.job, i), .n_starts = attempt.n_starts});
    }
    return;
  }
  const bool over_limit = end.cause == EndCause::TimedOut || end.cause == EndCause::OutOfMemory;
  if (!over_limit && attempt.n_deaths++ < options_.retries) {
    waiting_.push_front(std::move(attempt));
    return;
  }
  finish(attempt, {.status = TrialStatus::Failed, .error = failure(end, attempt)}, end.seconds);
}

void LocalRunner::finish(const Attempt& attempt, std::vector<TrialResult> results) {
  const JobFiles files = files_of(attempt);
  for (TrialResult& result : results) {
    result.log = files.log_name();
    result.n_attempts = attempt.n_starts;
    finished_.push_back(std::move(result));
  }
  finished_files_.push_back(files);
}

/// Finishes all trials of a job with the same evaluation.
void LocalRunner::finish(const Attempt& attempt, const Evaluation& evaluation, double seconds) {
  std::vector<TrialResult> results;
  for (const Proposal& proposal : attempt.job.proposals) {
    results.push_back(
        {.proposal = proposal, .evaluation = evaluation, .seconds = seconds, .host = host_name()});
  }
  finish(attempt, std::move(results));
}

std::string LocalRunner::failure(const ProcessEnd& end, const Attempt& attempt) const {
  if (end.cause == EndCause::TimedOut) {
    return c10::str("took longer than ", options_.time_limit, " s (runner.time_limit)");
  }
  if (end.cause == EndCause::OutOfMemory) {
    return c10::str("used ", static_cast<int64_t>(end.peak_memory), " MB of memory, more than ",
                    options_.memory_limit, " MB (runner.memory_limit)");
  }
  if (end.cause == EndCause::NotStarted) {
    return c10::str("no process can be made: ", std::strerror(end.code));
  }
  const std::string how =
      end.cause == EndCause::Signalled
          ? c10::str("was ended by signal ", end.code, " (", ::strsignal(end.code), ")")
          : c10::str("ended with code ", end.code, " and no result");
  const std::string said = files_of(attempt).last_words();
  return "its process " + how + (said.empty() ? "" : ": " + said);
}

}  // namespace retia
