#include "retia/engine/experiment/dispatch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "retia/engine/base/clock.h"
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

std::vector<Trial> Dispatch::start(Job job) {
  int64_t first = -1;
  for (Trial& trial : job.trials) {
    trial.began = utc_now();
    trial.seed = seed_;
    if (freeze_model(trial, space_, evaluator_)) {
      first = first < 0 ? trial.proposal.id : first;
      trial.job = first;
    }
  }
  store_.write(job.trials);
  const auto invalid = std::stable_partition(
      job.trials.begin(), job.trials.end(),
      [](const Trial& trial) { return trial.evaluation.status == TrialStatus::Running; });
  std::vector<Trial> ended(std::make_move_iterator(invalid),
                           std::make_move_iterator(job.trials.end()));
  job.trials.erase(invalid, job.trials.end());
  if (!job.trials.empty()) {
    runner_.start(std::move(job));
  }
  return ended;
}

std::vector<Trial> Dispatch::receive(double seconds) {
  std::vector<Trial> ended;
  for (Trial& trial : runner_.wait(seconds)) {
    if (trial.evaluation.status == TrialStatus::Stopped) {
      was_stopped_ = true;
      continue;
    }
    complete(trial, objectives_);
    ended.push_back(std::move(trial));
  }
  store_.write(ended);
  return ended;
}

std::vector<Trial> Dispatch::stop() {
  runner_.stop();
  return receive(0);
}

}  // namespace retia
