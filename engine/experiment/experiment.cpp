#include "retia/engine/experiment/experiment.h"

#include <unistd.h>

#include <utility>

#include "retia/engine/architecture_json.h"
#include "retia/engine/clock.h"
#include "retia/engine/experiment/dispatch.h"
#include "retia/engine/experiment/inline_runner.h"
#include "retia/engine/experiment/try_proposal.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/process.h"

namespace retia {
namespace {

constexpr double kSecondsBetweenLooks = 0.1;  // at who wants to stop
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

Experiment::Experiment(ir::Space space, std::string space_name, Evaluator& evaluator,
                       Strategy& strategy, std::filesystem::path folder)
    : space_(std::move(space)),
      space_name_(std::move(space_name)),
      mutables_(space_.mutables()),
      evaluator_(evaluator),
      objectives_(evaluator.objectives()),
      strategy_(strategy),
      folder_(std::move(folder)),
      lock_(folder_ / "experiment.lock"),
      store_(store_path(folder_), mutables_, space_name_, objectives_),
      telling_(strategy_, objectives_) {
  TORCH_CHECK(!objectives_.empty(), "an evaluator needs at least one objective");
  replay();
}

void Experiment::replay() {
  store_.each([&](const TrialRecord& record) {
    const std::string trial = c10::str(store_.path().string(), ": trial ", record.proposal.id);
    TORCH_CHECK(telling_.first(record.n_told), trial, " is damaged: it was proposed after trial ",
                telling_.n_told(), " had ended, which has not");
    const Strategy::Answer answer = strategy_.ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    TORCH_CHECK(proposal != nullptr && *proposal == record.proposal, trial, " tried ",
                record.proposal.architecture.to_string(), ", but the strategy proposes ",
                proposal == nullptr ? "nothing" : proposal->architecture.to_string(),
                " now: resume with the same space, strategy and seed, or give another --out");
    ++n_proposed_;
    if (record.status == TrialStatus::Running) {
      interrupted_.push_back(record);
    } else {
      count(record);
      telling_.add(record);
    }
  });
  write_best();
}

MedianStop Experiment::median_of_told() const {
  MedianStop median(objectives_.front().direction);
  each_trial([&](const TrialRecord& record) {
    if (record.proposal.id < telling_.n_told() && record.status == TrialStatus::Succeeded) {
      median.add(record.intermediate);
    }
  });
  return median;
}

void Experiment::each_trial(const std::function<void(const TrialRecord&)>& visit) const {
  store_.each([&](const TrialRecord& record) {
    if (record.status != TrialStatus::Running) {
      visit(record);
    }
  });
}

std::vector<TrialRecord> Experiment::trials() const {
  std::vector<TrialRecord> all;
  each_trial([&](const TrialRecord& record) { all.push_back(record); });
  return all;
}

ExperimentEnding Experiment::run(const ExperimentOptions& options, ExperimentObserver& observer) {
  InlineRunner runner(
      evaluator_, folder_ / "weights", [&observer] { return observer.stop_requested(); },
      options.concurrency);
  return run(options, runner, observer);
}

ExperimentEnding Experiment::run(const ExperimentOptions& options, Runner& runner,
                                 ExperimentObserver& observer) {
  check_limits(options);
  if (options.early_stop == StopRule::Median) {
    telling_.stop_early(median_of_told());
  }
  kept_weights_.emplace(folder_ / "weights", options.keep_weights);
  each_trial([this](const TrialRecord& record) { tidy(record); });
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
  if (ending == ExperimentEnding::Exhausted) {
    kept_weights_->finish();
  }
  return ending;
}

ExperimentEnding Experiment::run_trials(const ExperimentOptions& options, int64_t concurrency,
                                        Dispatch& dispatch, Clock& clock,
                                        ExperimentObserver& observer) {
  start_interrupted(dispatch, observer);
  const auto merge = static_cast<size_t>(options.merge);
  std::vector<TrialRecord> group;  // of the next job
  int64_t n_awaited = 0;           // outcomes, by a strategy that waits
  bool waits = false;
  std::optional<ExperimentEnding> ending;
  while (true) {
    if (observer.stop_requested() || dispatch.was_stopped()) {
      take(dispatch.stop(), observer);
      return ExperimentEnding::Stopped;
    }
    if (const double seconds = clock.seconds(); !ending) {
      ending = limit(options, seconds);
    }
    const bool is_whole =
        group.size() == merge || (!group.empty() && (waits || ending.has_value()));
    if (is_whole && !dispatch.is_full()) {
      for (const TrialRecord& trial : group) {
        observer.on_begin(trial.proposal);
      }
      dispatch.start(std::exchange(group, {}));
      continue;
    }
    if (ending && group.empty() && dispatch.is_idle()) {
      return *ending;
    }
    const int64_t n_known = n_proposed_ + 1 - concurrency * options.merge;
    if (is_whole || ending || !telling_.first(std::max(n_known, n_awaited))) {
      take(dispatch.receive(kSecondsBetweenLooks), observer);
      continue;
    }
    Strategy::Answer answer = strategy_.ask();
    waits = std::holds_alternative<Wait>(answer);
    if (auto* proposal = std::get_if<Proposal>(&answer)) {
      group.push_back({.proposal = std::move(*proposal),
                       .n_told = telling_.n_told(),
                       .floors = group.empty() ? telling_.floors() : group.front().floors});
      ++n_proposed_;
    } else if (waits) {
      n_awaited = telling_.n_told() + 1;
      TORCH_CHECK(n_awaited <= n_proposed_,
                  "the strategy waits for an outcome, but it was told all: no trial is running");
    } else {
      ending = ExperimentEnding::Exhausted;
    }
  }
}

void Experiment::start_interrupted(Dispatch& dispatch, ExperimentObserver& observer) {
  std::map<int64_t, std::vector<TrialRecord>> jobs;
  for (TrialRecord& trial : std::exchange(interrupted_, {})) {
    observer.on_begin(trial.proposal);
    const int64_t job = trial.job;
    jobs[job].push_back(std::move(trial));
  }
  for (auto& [id, trials] : jobs) {
    dispatch.start(std::move(trials), true);
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

void Experiment::take(std::vector<TrialRecord> ended, ExperimentObserver& observer) {
  for (TrialRecord& record : ended) {
    if (count(record)) {
      write_best();
    }
    tidy(record);
    observer.on_end(record);
    telling_.add(std::move(record));
  }
}

void Experiment::tidy(const TrialRecord& record) {
  const bool succeeded = record.status == TrialStatus::Succeeded;
  kept_weights_->tell(record.proposal, succeeded ? std::optional(gain(objectives_.front(),
                                                                      record.objectives.front()))
                                                 : std::nullopt);
}

bool Experiment::count(const TrialRecord& record) {
  ++n_trials_;
  if (record.status != TrialStatus::Succeeded) {
    return false;
  }
  const auto standing = [&](const TrialRecord& trial) {
    return std::pair(gain(objectives_.front(), trial.objectives.front()), -trial.proposal.id);
  };
  if (best_ && standing(*best_) > standing(record)) {
    return false;
  }
  best_ = record;
  return true;
}

void Experiment::write_best() const {
  if (best_) {
    write_json(folder_ / "architecture.json",
               to_json(best_->proposal.architecture, mutables_, space_name_));
  }
}

TrialRecord Experiment::debug_run(const ir::Space& space, Evaluator& evaluator, Strategy& strategy,
                                  ExperimentObserver& observer) {
  const Strategy::Answer answer = strategy.ask();
  const auto* proposal = std::get_if<Proposal>(&answer);
  TORCH_CHECK(proposal != nullptr, "the strategy proposes nothing: the space is empty");
  const ir::Graph model = model_of(space, proposal->architecture);
  const double started = now();
  Evaluation evaluation =
      evaluator.evaluate(model, {*proposal, [&observer] { return observer.stop_requested(); }});
  TORCH_CHECK(evaluation.status != TrialStatus::Failed, "the evaluator failed: ", evaluation.error);
  if (evaluation.status == TrialStatus::Succeeded) {
    check_evaluation(evaluation, evaluator.objectives());
  }
  return {.proposal = *proposal,
          .status = evaluation.status,
          .objectives = std::move(evaluation.objectives),
          .metrics = std::move(evaluation.metrics),
          .error = std::move(evaluation.error),
          .seconds = now() - started};
}

}  // namespace retia
