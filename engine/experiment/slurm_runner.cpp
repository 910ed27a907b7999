#include "retia/engine/experiment/slurm_runner.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <thread>

#include "retia/engine/io/files.h"

namespace retia {
namespace {

constexpr const char* kJobFormat = "retia.slurm";
constexpr int64_t kJobVersion = 1;

std::vector<int64_t> trials_of(const Job& job) {
  std::vector<int64_t> ids;
  for (const Trial& trial : job.trials) {
    ids.push_back(trial.proposal.id);
  }
  return ids;
}

std::filesystem::path record_of(const JobFiles& files) { return files.folder / "slurm.json"; }

/// Returns the record of a job; null where it is missing or incomplete.
Json read_record(const JobFiles& files) {
  try {
    return std::filesystem::exists(record_of(files))
               ? Json(read_format(record_of(files), kJobFormat, kJobVersion))
               : Json();
  } catch (const c10::Error&) {
    return {};
  }
}

/// Makes this machine see what others have written into a folder that it shares with them.
void refresh(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end;
       entry.increment(ignored)) {
  }
}

std::string described(const SlurmState& state) {
  return state.reason.empty() || state.reason == "None" ? state.name
                                                        : state.name + " (" + state.reason + ")";
}

}  // namespace

SlurmRunner::SlurmRunner(std::unique_ptr<SlurmQueue> queue, TrialSetting setting,
                         std::vector<Mutable> mutables, std::filesystem::path folder,
                         int64_t concurrency, const SlurmOptions& options,
                         std::function<void(const std::string&)> warn)
    : queue_(std::move(queue)),
      setting_(std::move(setting)),
      mutables_(std::move(mutables)),
      folder_(std::move(folder)),
      concurrency_(concurrency),
      options_(options),
      warn_(std::move(warn)) {
  TORCH_CHECK(concurrency >= 1, "--concurrency must be at least 1, got ", concurrency);
  check_declared(options, "runner");
}

void SlurmRunner::start(Job job) {
  TORCH_CHECK(!job.trials.empty(), "a job needs trials");
  if (job.recovered) {
    recover({std::move(job)});
  } else {
    waiting_.push_back({std::move(job)});
  }
}

/// Continues a job that an earlier process has left.
void SlurmRunner::recover(Attempt attempt) {
  attempt.job.attempt = attempt_of(files_of(attempt).trial);
  const JobFiles files = files_of(attempt);
  const Json record = read_record(files);
  const std::vector<int64_t> trials = trials_of(attempt.job);
  if (record.is_object()) {
    attempt.id = record.value("job", "");
    attempt.n_starts = record.value("n_starts", int64_t{1});
    attempt.job.n_deaths = record.value("n_deaths", int64_t{0});
  }
  if (record.is_object() && attempt.id.empty()) {
    // It was cancelled: what it does while it dies says nothing of the model.
    waiting_.push_back(std::move(attempt));
  } else if (auto results = files.results(attempt.job)) {
    finish(attempt, std::move(*results));
  } else if (record.is_object() && record.value("trials", std::vector<int64_t>()) == trials) {
    running_.push_back(std::move(attempt));
  } else if (record.is_object() && trials.size() > 1) {  // split already
    for (size_t i = 0; i < trials.size(); ++i) {
      recover({alone(std::move(attempt.job.trials[i]))});
    }
  } else {
    attempt.maybe_submitted = true;
    waiting_.push_back(std::move(attempt));
  }
}

std::vector<Trial> SlurmRunner::wait(double seconds) {
  // Whoever calls again has recorded what the last call returned.
  for (const JobFiles& files : std::exchange(taken_files_, {})) {
    files.remove();
  }
  const auto after = [](double duration) {
    return Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(duration));
  };
  const Clock::time_point end = after(seconds);
  submit();
  while (finished_.empty() && !(running_.empty() && waiting_.empty())) {
    if (Clock::now() >= next_look_) {
      look();
      submit();
      next_look_ = after(options_.poll);
    } else if (Clock::now() >= end) {
      break;
    } else {
      std::this_thread::sleep_until(std::min(next_look_, end));
    }
  }
  taken_files_ = std::exchange(finished_files_, {});
  return std::exchange(finished_, {});
}

/// Submits all waiting jobs together.
void SlurmRunner::submit() {
  find_submitted();
  std::vector<Attempt> batch;
  while (!waiting_.empty() && may_ask_ &&
         static_cast<int64_t>(running_.size() + batch.size()) < concurrency_) {
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  std::vector<std::filesystem::path> trials;
  for (Attempt& attempt : batch) {
    attempt.job.attempt = attempt_of(files_of(attempt).trial) + 1;
    const JobFiles files = files_of(attempt);
    std::filesystem::remove(record_of(files));
    files.write({setting_, mutables_, attempt.job});
    trials.push_back(files.trial);
  }
  if (batch.empty()) {
    return;
  }
  const auto ids = queue_->submit(trials);
  answered(ids.has_value());
  for (size_t i = 0; i < batch.size(); ++i) {
    Attempt& attempt = batch[i];
    if (!ids) {
      attempt.maybe_submitted = true;
      waiting_.push_back(std::move(attempt));
      continue;
    }
    attempt.id = ids->at(i);
    attempt.maybe_submitted = attempt.gone = false;
    ++attempt.n_starts;
    write_record(attempt);
    running_.push_back(std::move(attempt));
  }
}

/// Continues those waiting jobs that Slurm had accepted without this process knowing.
void SlurmRunner::find_submitted() {
  const auto is_doubtful = [](const Attempt& attempt) { return attempt.maybe_submitted; };
  if (!may_ask_ || std::none_of(waiting_.begin(), waiting_.end(), is_doubtful)) {
    return;
  }
  const auto known = queue_->submitted();
  if (!answered(known.has_value())) {
    return;
  }
  for (Attempt& attempt : std::exchange(waiting_, {})) {
    const auto job = known->find(files_of(attempt).trial);
    if (!attempt.maybe_submitted || job == known->end()) {
      attempt.maybe_submitted = false;
      waiting_.push_back(std::move(attempt));
      continue;
    }
    attempt.id = job->second;
    attempt.maybe_submitted = attempt.gone = false;
    ++attempt.n_starts;
    write_record(attempt);
    running_.push_back(std::move(attempt));
  }
}

void SlurmRunner::write_record(const Attempt& attempt) const {
  write_json(record_of(files_of(attempt)), {{"format", kJobFormat},
                                            {"version", kJobVersion},
                                            {"job", attempt.id},
                                            {"trials", trials_of(attempt.job)},
                                            {"n_starts", attempt.n_starts},
                                            {"n_deaths", attempt.job.n_deaths}});
}

/// The results of those that have left some, whatever Slurm says of them.
void SlurmRunner::collect() {
  for (Attempt& attempt : std::exchange(running_, {})) {
    const JobFiles files = files_of(attempt);
    refresh(files.folder);
    if (auto results = files.results(attempt.job)) {
      finish(attempt, std::move(*results));
    } else {
      running_.push_back(std::move(attempt));
    }
  }
}

void SlurmRunner::look() {
  may_ask_ = true;
  collect();
  if (running_.empty()) {
    return;
  }
  std::vector<std::string> ids;
  for (const Attempt& attempt : running_) {
    ids.push_back(attempt.id);
  }
  const auto states = queue_->states(ids);
  if (!answered(states.has_value())) {
    return;
  }
  for (Attempt& attempt : std::exchange(running_, {})) {
    const auto state = states->find(attempt.id);
    const bool known = state != states->end();
    if (known && is_alive(state->second)) {
      attempt.gone = false;
      running_.push_back(std::move(attempt));
    } else if (!std::exchange(attempt.gone, true)) {
      running_.push_back(std::move(attempt));  // its results may take a while to be seen here
    } else {
      settle(std::move(attempt),
             known ? "ended as " + described(state->second) : "has left the queue");
    }
  }
}

/// A job is lost. end: what became of it.
void SlurmRunner::settle(Attempt attempt, const std::string& end) {
  queue_->cancel({attempt.id});  // where Slurm still holds it
  if (attempt.job.trials.size() > 1) {
    for (Trial& trial : attempt.job.trials) {
      waiting_.push_back({.job = alone(std::move(trial)), .n_starts = attempt.n_starts});
    }
  } else if (attempt.job.n_deaths++ < options_.retries) {
    waiting_.push_back(std::move(attempt));
  } else {
    const std::string said = files_of(attempt).last_words();
    attempt.job.trials.front().evaluation = {.status = TrialStatus::Failed,
                                             .error = "its Slurm job " + attempt.id + " " + end +
                                                      " without a result" +
                                                      (said.empty() ? "" : ": " + said)};
    finish(attempt, attempt.job.trials);
  }
}

void SlurmRunner::stop() {
  collect();
  std::vector<std::string> ids;
  for (const Attempt& attempt : running_) {
    ids.push_back(attempt.id);
  }
  const bool cancelled = ids.empty() || queue_->cancel(ids);
  if (!cancelled) {
    warn_("Slurm does not answer: its jobs go on, and --resume finds them");
  }
  for (Attempt& attempt : std::exchange(running_, {})) {
    if (cancelled) {
      attempt.id.clear();
      write_record(attempt);
    }
    stopped(std::move(attempt));
  }
  for (Attempt& attempt : std::exchange(waiting_, {})) {
    stopped(std::move(attempt));
  }
}

void SlurmRunner::finish(const Attempt& attempt, std::vector<Trial> trials) {
  const JobFiles files = files_of(attempt);
  for (Trial& trial : trials) {
    trial.log = files.log_name();
    trial.n_attempts += std::max<int64_t>(attempt.n_starts, 1);
    finished_.push_back(std::move(trial));
  }
  finished_files_.push_back(files);
}

void SlurmRunner::stopped(Attempt attempt) {
  for (Trial& trial : attempt.job.trials) {
    trial.evaluation = {.status = TrialStatus::Stopped};
    finished_.push_back(std::move(trial));
  }
}

bool SlurmRunner::answered(bool yes) {
  if (!yes && !warned_) {
    warn_("Slurm does not answer; waiting until it does");
  }
  warned_ = !yes;
  may_ask_ = yes;
  return yes;
}

}  // namespace retia
