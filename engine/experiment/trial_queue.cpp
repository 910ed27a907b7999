#include "retia/engine/experiment/trial_queue.h"

#include <c10/util/Exception.h>

#include <utility>

namespace retia {

void TrialQueue::add(Trial trial) {
  if (!filling_.trials.empty()) {
    trial.floors = filling_.trials.front().floors;
  }
  filling_.trials.push_back(std::move(trial));
  if (static_cast<int64_t>(filling_.trials.size()) == merge_) {
    close();
  }
}

void TrialQueue::close() {
  if (!filling_.trials.empty()) {
    waiting_.push_back(std::exchange(filling_, {}));
  }
}

std::optional<Job> TrialQueue::next() {
  if (waiting_.empty() || static_cast<int64_t>(n_left_.size()) >= n_jobs_) {
    return std::nullopt;
  }
  Job job = std::move(waiting_.front());
  waiting_.pop_front();
  const int64_t first = job.trials.at(0).proposal.id;
  n_left_[first] = static_cast<int64_t>(job.trials.size());
  for (const Trial& trial : job.trials) {
    job_of_[trial.proposal.id] = first;
  }
  return job;
}

void TrialQueue::end(const Trial& trial) {
  const auto found = job_of_.find(trial.proposal.id);
  TORCH_CHECK(found != job_of_.end(), "the runner gave a result of trial ", trial.proposal.id,
              ", which does not run");
  if (--n_left_.at(found->second) == 0) {
    n_left_.erase(found->second);
  }
  job_of_.erase(found);
}

}  // namespace retia
