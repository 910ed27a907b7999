#include "retia/engine/experiment/dispatch.h"

#include <utility>

#include "retia/engine/clock.h"
#include "retia/engine/experiment/try_proposal.h"

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

}  // namespace

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
    std::optional<ir::Graph> model = freeze_model(trial, space_, evaluator_);
    if (!model) {
      continue;
    }
    job.models.push_back(std::move(*model));
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
