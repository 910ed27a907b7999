#include "retia/engine/experiment/experiment.h"

#include <unistd.h>

#include <map>
#include <set>
#include <utility>

#include "retia/engine/base/clock.h"
#include "retia/engine/experiment/dispatch.h"
#include "retia/engine/experiment/inline_runner.h"
#include "retia/engine/experiment/job_files.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/process.h"

namespace retia {
namespace {

constexpr const char* kInMemory = ":memory:";  // a store that SQLite keeps in memory
constexpr double kSecondsBetweenLooks = 0.1;   // at who wants to stop
constexpr double kBeat = 1;  // seconds between entries of how long a run has lasted

void check_limits(const ExperimentOptions& options) {
  TORCH_CHECK(options.max_trials >= 0, "experiment: max_trials must be at least 0, got ",
              options.max_trials);
  TORCH_CHECK(options.max_duration >= 0, "experiment: max_duration must be at least 0, got ",
              options.max_duration);
  TORCH_CHECK(options.concurrency >= 1, "experiment: concurrency must be at least 1, got ",
              options.concurrency);
  TORCH_CHECK(options.merge >= 1, "experiment: merge must be at least 1, got ", options.merge);
}

}  // namespace

/// Measures how long an experiment has run, and keeps the number in the store, where it survives
/// when the process is killed.
class Experiment::Clock {
 public:
  explicit Clock(TrialStore& store) : store_(store), before_(store.seconds()), began_(now()) {}

  /// Returns the duration of all runs together.
  double seconds() {
    const double elapsed = now() - began_;
    if (elapsed >= written_ + kBeat) {
      store_.update_run(elapsed);
      written_ = elapsed;
    }
    return before_ + elapsed;
  }

  void end(ExperimentEnding ending) {
    store_.update_run(now() - began_, Json(ending).get<std::string>());
  }

 private:
  TrialStore& store_;
  double before_, began_, written_ = 0;
};

Experiment::Experiment(ir::Space space, SpaceReference reference,
                       std::optional<std::filesystem::path> folder, Evaluator& evaluator,
                       Strategy& strategy)
    : space_(std::move(space)),
      reference_(std::move(reference)),
      mutables_(space_.mutables()),
      evaluator_(evaluator),
      objectives_(evaluator.objectives()),
      strategy_(strategy),
      folder_(std::move(folder)),
      lock_(folder_ ? std::optional<LockFile>(std::in_place, *folder_ / "experiment.lock",
                                              Locking::IfSupported)
                    : std::nullopt),
      store_(folder_ ? store_path(*folder_) : kInMemory, mutables_, reference_.name, objectives_),
      telling_(strategy_, objectives_) {
  TORCH_CHECK(!objectives_.empty(), "an evaluator needs at least one objective");
  replay();
}

Experiment::Experiment(ir::Space space, SpaceReference reference, Evaluator& evaluator,
                       Strategy& strategy, std::filesystem::path folder)
    : Experiment(std::move(space), std::move(reference), std::optional(std::move(folder)),
                 evaluator, strategy) {}

Experiment::Experiment(ir::Space space, Evaluator& evaluator, Strategy& strategy)
    : Experiment(std::move(space), "", std::nullopt, evaluator, strategy) {}

void Experiment::replay() {
  store_.each([&](const Trial& trial) {
    const std::string named = c10::str(store_.path().string(), ": trial ", trial.proposal.id);
    TORCH_CHECK(telling_.first(trial.n_told), named, " is damaged: it was proposed after trial ",
                telling_.n_told(), " had ended, which has not");
    const Strategy::Answer answer = strategy_.ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    TORCH_CHECK(proposal != nullptr && *proposal == trial.proposal, named, " tried ",
                trial.proposal.architecture.to_string(), ", but the strategy proposes ",
                proposal == nullptr ? "nothing" : proposal->architecture.to_string(),
                " now: resume with the same space, strategy and seed, or give another --out");
    ++n_proposed_;
    const bool has_ended = trial.evaluation.status != TrialStatus::Running;
    if (has_ended) {
      count(trial);
    } else {
      interrupted_.push_back(trial);
    }
    if (has_ended || trial.told_failed) {
      telling_.add(trial);
    }
  });
  write_best();
}

std::vector<Trial> Experiment::failed_trials(const std::vector<int64_t>& ids) const {
  std::set<int64_t> asked(ids.begin(), ids.end());
  std::vector<Trial> failed;
  store_.each([&](const Trial& trial) {
    const TrialStatus status = trial.evaluation.status;
    const bool is_asked = asked.erase(trial.proposal.id) > 0;
    TORCH_CHECK(!is_asked || status == TrialStatus::Failed, store_.path().string(), ": trial ",
                trial.proposal.id, " is ", Json(status).get<std::string>(),
                ": only failed trials can run again");
    if (is_asked || (ids.empty() && status == TrialStatus::Failed)) {
      failed.push_back(trial);
    }
  });
  TORCH_CHECK(asked.empty(), store_.path().string(), ": has no trial ",
              asked.empty() ? 0 : *asked.begin());
  return failed;
}

int64_t Experiment::retry(const std::vector<int64_t>& ids) {
  std::vector<Trial> again = failed_trials(ids);
  for (Trial& trial : again) {
    const int64_t id = trial.proposal.id;
    trial = {.proposal = std::move(trial.proposal),
             .floors = std::move(trial.floors),
             .n_told = trial.n_told,
             .job = id,
             .n_attempts = trial.n_attempts,
             .told_failed = trial.told_failed || id < telling_.n_told()};
    if (folder_) {  // what it left says nothing of the next attempt
      JobFiles(*folder_, alone(trial)).remove();
    }
  }
  store_.retry(again);
  for (const Trial& trial : again) {
    telling_.take_back(trial.proposal.id);
    interrupted_.push_back(trial);
  }
  n_trials_ -= static_cast<int64_t>(again.size());
  return static_cast<int64_t>(again.size());
}

MedianStop Experiment::median_of_told() const {
  MedianStop median(objectives_.front().direction);
  each_trial([&](const Trial& trial) {
    if (trial.proposal.id < telling_.n_told() && has_succeeded(trial) && !trial.told_failed) {
      median.add(trial.evaluation.intermediate);
    }
  });
  return median;
}

void Experiment::each_trial(const std::function<void(const Trial&)>& visit) const {
  store_.each([&](const Trial& trial) {
    if (trial.evaluation.status != TrialStatus::Running) {
      visit(trial);
    }
  });
}

std::vector<Trial> Experiment::trials() const {
  std::vector<Trial> all;
  each_trial([&](const Trial& trial) { all.push_back(trial); });
  return all;
}

ExperimentEnding Experiment::run(const ExperimentOptions& options, ExperimentObserver& observer) {
  InlineRunner runner(
      evaluator_, folder_ ? *folder_ / "weights" : std::filesystem::path(),
      [&observer] { return observer.stop_requested(); }, options.concurrency);
  return run(options, runner, observer);
}

ExperimentEnding Experiment::run(const ExperimentOptions& options, Runner& runner,
                                 ExperimentObserver& observer) {
  check_limits(options);
  if (options.early_stop == StopRule::Median) {
    telling_.stop_early(median_of_told());
  }
  if (folder_) {
    kept_weights_.emplace(*folder_ / "weights", options.keep_weights);
    each_trial([this](const Trial& trial) { tidy(trial); });
  }
  Dispatch dispatch(space_, evaluator_, store_, runner);
  Clock clock(store_);
  store_.begin_run({.began = utc_now(),
                    .host = host_name(),
                    .process = ::getpid(),
                    .concurrency = runner.concurrency(),
                    .merge = options.merge,
                    .max_trials = options.max_trials,
                    .max_duration = options.max_duration});
  const ExperimentEnding ending =
      run_trials(options, runner.concurrency(), dispatch, clock, observer);
  clock.end(ending);
  if (kept_weights_ && ending == ExperimentEnding::Exhausted) {
    kept_weights_->finish();
  }
  return ending;
}

ExperimentEnding Experiment::run_trials(const ExperimentOptions& options, int64_t concurrency,
                                        Dispatch& dispatch, Clock& clock,
                                        ExperimentObserver& observer) {
  TrialQueue queue(concurrency, options.merge);
  add_interrupted(queue);
  failures_.clear();
  const int64_t n_allowed = failures_allowed(options.max_failures, concurrency, options.merge);
  const auto end = [&](std::vector<Trial> ended) {
    for (const Trial& trial : ended) {
      queue.end(trial);
    }
    take(std::move(ended), observer);
  };
  int64_t n_awaited = 0;  // outcomes, by a strategy that waits
  std::optional<ExperimentEnding> ending;
  while (true) {
    if (observer.stop_requested() || dispatch.was_stopped()) {
      end(dispatch.stop());
      return ExperimentEnding::Stopped;
    }
    if (failures_.size() >= n_allowed) {
      end(dispatch.stop());
      return ExperimentEnding::Failures;
    }
    if (const double seconds = clock.seconds(); !ending) {
      ending = limit(options, seconds);
    }
    if (ending) {
      queue.close();
    }
    if (std::optional<Job> job = queue.next()) {
      for (const Trial& trial : job->trials) {
        observer.on_begin(trial.proposal);
      }
      end(dispatch.start(std::move(*job)));
      continue;
    }
    if (ending && queue.is_empty()) {
      return *ending;
    }
    const int64_t n_known = n_proposed_ + 1 - concurrency * options.merge;
    if (queue.has_waiting() || ending || !telling_.first(std::max(n_known, n_awaited))) {
      end(dispatch.receive(kSecondsBetweenLooks));
      continue;
    }
    Strategy::Answer answer = strategy_.ask();
    if (auto* proposal = std::get_if<Proposal>(&answer)) {
      queue.add({.proposal = std::move(*proposal),
                 .floors = telling_.floors(),
                 .n_told = telling_.n_told()});
      ++n_proposed_;
    } else if (std::holds_alternative<Wait>(answer)) {
      queue.close();
      n_awaited = telling_.n_told() + 1;
      TORCH_CHECK(n_awaited <= n_proposed_,
                  "the strategy waits for an outcome, but it was told all: no trial is running");
    } else {
      ending = ExperimentEnding::Exhausted;
    }
  }
}

/// Adds the jobs that an earlier run has left unfinished.
void Experiment::add_interrupted(TrialQueue& queue) {
  std::map<int64_t, Job> jobs;
  for (Trial& trial : std::exchange(interrupted_, {})) {
    jobs[trial.job].trials.push_back(std::move(trial));
  }
  for (auto& [id, job] : jobs) {
    job.recovered = true;
    queue.add(std::move(job));
  }
}

std::optional<ExperimentEnding> Experiment::limit(const ExperimentOptions& options,
                                                  double seconds) const {
  if (options.max_trials > 0 && n_proposed_ >= options.max_trials) {
    return ExperimentEnding::MaxTrials;
  }
  if (options.max_duration > 0 && seconds >= options.max_duration) {
    return ExperimentEnding::MaxDuration;
  }
  return std::nullopt;
}

void Experiment::take(std::vector<Trial> ended, ExperimentObserver& observer) {
  for (Trial& trial : ended) {
    if (count(trial)) {
      write_best();
    }
    tidy(trial);
    failures_.add(trial);
    observer.on_end(trial);
    if (!trial.told_failed) {
      telling_.add(std::move(trial));
    }
  }
}

void Experiment::tidy(const Trial& trial) {
  if (kept_weights_) {
    kept_weights_->tell(trial.proposal, has_succeeded(trial)
                                            ? std::optional(standing(objectives_.front(), trial))
                                            : std::nullopt);
  }
}

bool Experiment::count(const Trial& trial) {
  ++n_trials_;
  if (!improves(objectives_.front(), trial, best_)) {
    return false;
  }
  best_ = trial;
  return true;
}

void Experiment::write_best() const {
  if (folder_ && best_) {
    write_json(*folder_ / "architecture.json",
               to_json(best_->proposal.architecture, mutables_, reference_));
  }
}

Trial Experiment::debug_run(const ir::Space& space, Evaluator& evaluator, Strategy& strategy,
                            ExperimentObserver& observer) {
  // The caller gets the trial or an exception, so the observer is only asked whether to stop.
  struct : ExperimentObserver {
    ExperimentObserver* asked;
    bool stop_requested() override { return asked->stop_requested(); }
  } stop_only;
  stop_only.asked = &observer;
  Experiment experiment(space, evaluator, strategy);
  if (experiment.run({.max_trials = 1}, stop_only) == ExperimentEnding::Stopped) {
    return {.evaluation = {.status = TrialStatus::Stopped}};
  }
  TORCH_CHECK(experiment.n_proposed_ == 1, "the strategy proposes nothing: the space is empty");
  Trial trial = experiment.trials().front();
  TORCH_CHECK(has_succeeded(trial), trial.evaluation.error);
  return trial;
}

}  // namespace retia
