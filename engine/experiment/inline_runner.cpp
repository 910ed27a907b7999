#include "retia/engine/experiment/inline_runner.h"

#include "retia/engine/experiment/run_job.h"

namespace retia {

InlineRunner::InlineRunner(Evaluator& evaluator, std::filesystem::path weights,
                           std::function<bool()> stop_requested, int64_t concurrency)
    : evaluator_(evaluator),
      weights_(std::move(weights)),
      stop_requested_(std::move(stop_requested)),
      concurrency_(concurrency) {}

void InlineRunner::start(Job job) {
  for (Trial& trial : job.trials) {
    trial.weights = weights_;
    trial.stop_requested = stop_requested_;
    ++trial.n_attempts;
  }
  jobs_.push_back(std::move(job));
}

std::vector<Trial> InlineRunner::wait(double /*seconds*/) {
  if (jobs_.empty()) {
    return {};
  }
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  return run_job(evaluator_, std::move(job));
}

}  // namespace retia
