#include "engine/experiment/experiment.h"

#include <chrono>
#include <cmath>

#include "engine/architecture_json.h"
#include "engine/io/files.h"
#include "engine/ir/infer.h"

namespace retia {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The model of an architecture, its shapes checked.
ir::Graph model_of(const ir::Space& space, const Architecture& architecture) {
  ir::Graph model = space.model(architecture);
  ir::infer(model);
  return model;
}

/// Throws unless a success comes with finite numbers, as many as there are objectives.
void check_evaluation(const Evaluation& evaluation, const std::vector<Objective>& objectives) {
  TORCH_CHECK(evaluation.objectives.size() == objectives.size(), "the evaluator gave ",
              evaluation.objectives.size(), " objectives, expected ", objectives.size());
  for (size_t i = 0; i < objectives.size(); ++i) {
    TORCH_CHECK(std::isfinite(evaluation.objectives[i]), "the objective '", objectives[i].name,
                "' became ", evaluation.objectives[i]);
  }
  for (const auto& [name, value] : evaluation.metrics) {
    TORCH_CHECK(std::isfinite(value), "the metric '", name, "' became ", value);
  }
}

}  // namespace

Experiment::Experiment(ir::Space space, std::string space_name, Evaluator& evaluator,
                       Strategy& strategy, std::filesystem::path folder)
    : space_(std::move(space)),
      space_name_(std::move(space_name)),
      mutables_(space_.mutables()),
      evaluator_(evaluator),
      objectives_(evaluator.objectives()),
      strategy_(strategy),
      folder_(std::move(folder)),
      log_(folder_ / "trials.jsonl", mutables_, space_name_, objectives_) {
  TORCH_CHECK(!objectives_.empty(), "an evaluator needs at least one objective");
  replay();
}

void Experiment::replay() {
  log_.each([&](const TrialRecord& record) {
    const Strategy::Answer answer = strategy_.ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    TORCH_CHECK(proposal != nullptr && *proposal == record.proposal, log_.path().string(),
                ": trial ", record.proposal.id, " tried ", record.proposal.architecture.to_string(),
                ", but the strategy proposes ",
                proposal == nullptr ? "nothing" : proposal->architecture.to_string(),
                " now: resume with the same space, strategy and seed, or give another --out");
    tell(record);
  });
  write_best();
}

std::vector<TrialRecord> Experiment::trials() const {
  std::vector<TrialRecord> all;
  log_.each([&](const TrialRecord& record) { all.push_back(record); });
  return all;
}

ExperimentEnding Experiment::run(const ExperimentOptions& options, ExperimentObserver& observer) {
  TORCH_CHECK(options.max_trials >= 0, "experiment: max_trials must be at least 0, got ",
              options.max_trials);
  TORCH_CHECK(options.max_duration >= 0, "experiment: max_duration must be at least 0, got ",
              options.max_duration);
  const ExperimentEnding ending = run_trials(options, observer);
  log_.sync();
  return ending;
}

ExperimentEnding Experiment::run_trials(const ExperimentOptions& options,
                                        ExperimentObserver& observer) {
  while (true) {
    if (options.max_trials > 0 && n_trials_ >= options.max_trials) {
      return ExperimentEnding::MaxTrials;
    }
    if (options.max_duration > 0 && seconds_ >= options.max_duration) {
      return ExperimentEnding::MaxDuration;
    }
    if (observer.stop_requested()) {
      return ExperimentEnding::Stopped;
    }
    const Strategy::Answer answer = strategy_.ask();
    if (std::holds_alternative<Exhausted>(answer)) {
      return ExperimentEnding::Exhausted;
    }
    const auto* proposal = std::get_if<Proposal>(&answer);
    TORCH_CHECK(proposal != nullptr,
                "the strategy waits for an outcome, but it was told all: no trial is running");
    observer.on_begin(*proposal);
    const TrialRecord record = try_out(*proposal, observer);
    if (record.status == TrialStatus::Stopped) {
      return ExperimentEnding::Stopped;
    }
    log_.append(record);
    if (tell(record)) {
      write_best();
    }
    observer.on_end(record);
  }
}

TrialRecord Experiment::try_out(const Proposal& proposal, ExperimentObserver& observer) {
  TrialRecord record{.proposal = proposal};
  const double started = now();
  try {
    evaluate(record, observer);
  } catch (const c10::Error& error) {
    record.status = TrialStatus::Failed;
    record.error = error.what_without_backtrace();
  } catch (const std::exception& error) {
    record.status = TrialStatus::Failed;
    record.error = error.what();
  }
  if (record.status != TrialStatus::Succeeded) {
    record.objectives.clear();
    record.metrics.clear();
  }
  record.seconds = now() - started;
  return record;
}

void Experiment::evaluate(TrialRecord& record, ExperimentObserver& observer) {
  ir::Graph model("");
  try {
    if (evaluator_.reads_model()) {
      model = model_of(space_, record.proposal.architecture);
    }
  } catch (const c10::Error& error) {
    record.status = TrialStatus::Invalid;
    record.error = error.what_without_backtrace();
    return;
  }
  Evaluation evaluation = evaluator_.evaluate(
      model,
      {record.proposal, [&observer] { return observer.stop_requested(); }, folder_ / "weights"});
  if (evaluation.status == TrialStatus::Succeeded) {
    check_evaluation(evaluation, objectives_);
  }
  record.status = evaluation.status;
  record.objectives = std::move(evaluation.objectives);
  record.metrics = std::move(evaluation.metrics);
  record.error = std::move(evaluation.error);
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

bool Experiment::tell(const TrialRecord& record) {
  Outcome outcome{record.status, {}, record.proposal.architecture};
  for (size_t i = 0; i < record.objectives.size(); ++i) {
    outcome.objectives.push_back(gain(record.objectives[i], i));
  }
  strategy_.tell(record.proposal, outcome);
  ++n_trials_;
  seconds_ += record.seconds;
  if (record.status != TrialStatus::Succeeded ||
      (best_ && gain(best_->objectives.front(), 0) >= outcome.objectives.front())) {
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

double Experiment::gain(double objective, size_t i) const {
  return objectives_.at(i).direction == Direction::Maximise ? objective : -objective;
}

}  // namespace retia
