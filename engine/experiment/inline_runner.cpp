#include "retia/engine/experiment/inline_runner.h"

#include "retia/engine/experiment/trial_file.h"

namespace retia {

InlineRunner::InlineRunner(Evaluator& evaluator, std::filesystem::path weights,
                           std::function<bool()> stop_requested, int64_t concurrency)
    : evaluator_(evaluator),
      weights_(std::move(weights)),
      stop_requested_(std::move(stop_requested)),
      concurrency_(concurrency) {}

void InlineRunner::start(Job job, bool /*recovered*/) { jobs_.push_back(std::move(job)); }

std::vector<TrialResult> InlineRunner::wait(double /*seconds*/) {
  if (jobs_.empty()) {
    return {};
  }
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return run_job(evaluator_, job, weights_, stop_requested_);
}

}  // namespace retia
