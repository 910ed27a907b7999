#include "engine/experiment/dispatch.h"

#include <cmath>
#include <utility>

#include "engine/clock.h"
#include "engine/ir/infer.h"

namespace retia {
namespace {

/// The seed in the options of an evaluator, or of one inside it; none: it has none.
std::optional<int64_t> seed_of(const Json& evaluator) {
  const Json seed = evaluator.value("/options/seed"_json_pointer, Json());
  if (seed.is_number_integer()) {
    return seed.get<int64_t>();
  }
  const Json inner = evaluator.value("/options/of"_json_pointer, Json());
  return inner.is_null() ? std::nullopt : seed_of(inner);
}

/// Puts what came of a trial into its record.
void complete(TrialRecord& record, TrialResult result, const std::vector<Objective>& objectives) {
  Evaluation& evaluation = result.evaluation;
  record.status = evaluation.status;
  record.error = std::move(evaluation.error);
  record.seconds = result.seconds;
  record.ended = utc_now();
  record.host = std::move(result.host);
  record.log = std::move(result.log);
  record.n_attempts = result.n_attempts;
  if (record.status == TrialStatus::Succeeded) {
    try {
      check_evaluation(evaluation, objectives);
      record.objectives = std::move(evaluation.objectives);
      record.metrics = std::move(evaluation.metrics);
    } catch (const c10::Error& error) {
      record.status = TrialStatus::Failed;
      record.error = error.what_without_backtrace();
    }
  }
  record.intermediate = std::move(evaluation.intermediate);
}

}  // namespace

ir::Graph model_of(const ir::Space& space, const Architecture& architecture) {
  ir::Graph model = space.model(architecture);
  ir::infer(model);
  return model;
}

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
  for (const double value : evaluation.intermediate) {
    TORCH_CHECK(std::isfinite(value), "the objective '", objectives.front().name, "' became ",
                value, " after an epoch");
  }
}

Dispatch::Dispatch(const ir::Space& space, const Evaluator& evaluator, TrialStore& store,
                   Runner& runner)
    : space_(space),
      evaluator_(evaluator),
      objectives_(evaluator.objectives()),
      seed_(seed_of(evaluator.to_json())),
      store_(store),
      runner_(runner) {}

void Dispatch::start(std::vector<TrialRecord> trials, bool recovered) {
  waiting_.push_back({std::move(trials), recovered});
  start_waiting();
}

void Dispatch::start_waiting() {
  while (!waiting_.empty() && !is_busy()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    start_now(std::move(next));
  }
}

void Dispatch::start_now(Waiting waiting) {
  Job job;
  int64_t id = -1;
  for (TrialRecord& trial : waiting.trials) {
    trial.began = utc_now();
    trial.seed = seed_;
    try {
      job.models.push_back(evaluator_.reads_model() ? model_of(space_, trial.proposal.architecture)
                                                    : ir::Graph(""));
    } catch (const c10::Error& error) {
      trial.status = TrialStatus::Invalid;
      trial.error = error.what_without_backtrace();
      trial.ended = trial.began;
      continue;
    }
    id = id < 0 ? trial.proposal.id : id;
    trial.job = id;
    job.proposals.push_back(trial.proposal);
    job.floors = trial.floors;
  }
  store_.write(waiting.trials);
  for (TrialRecord& trial : waiting.trials) {
    if (trial.status == TrialStatus::Running) {
      const int64_t trial_id = trial.proposal.id;
      running_.emplace(trial_id, std::move(trial));
    } else {
      ended_.push_back(std::move(trial));
    }
  }
  if (!job.proposals.empty()) {
    n_of_job_[id] = static_cast<int64_t>(job.proposals.size());
    runner_.start(std::move(job), waiting.recovered);
  }
}

void Dispatch::collect(double seconds) {
  std::vector<TrialRecord> ended;
  for (TrialResult& result : runner_.wait(seconds)) {
    const auto found = running_.find(result.proposal.id);
    TORCH_CHECK(found != running_.end(), "the runner gave a result of trial ", result.proposal.id,
                ", which does not run");
    TrialRecord record = std::move(found->second);
    running_.erase(found);
    if (--n_of_job_.at(record.job) == 0) {
      n_of_job_.erase(record.job);
    }
    if (result.evaluation.status == TrialStatus::Stopped) {
      was_stopped_ = true;
      continue;
    }
    complete(record, std::move(result), objectives_);
    ended.push_back(std::move(record));
  }
  store_.write(ended);
  std::move(ended.begin(), ended.end(), std::back_inserter(ended_));
}

std::vector<TrialRecord> Dispatch::receive(double seconds) {
  if (ended_.empty()) {
    collect(seconds);
  }
  start_waiting();
  return std::exchange(ended_, {});
}

std::vector<TrialRecord> Dispatch::stop() {
  waiting_.clear();
  runner_.stop();
  collect(0);
  return std::exchange(ended_, {});
}

}  // namespace retia
