#include "retia/engine/experiment/run_job.h"

#include <utility>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/process.h"

namespace retia {

std::vector<Trial> run_job(Evaluator& evaluator, Job job) {
  std::vector<Trial> trials = std::move(job.trials);
  const double begin = now();
  if (auto merged = try_evaluate_merged(evaluator, trials)) {
    const double share = (now() - begin) / static_cast<double>(trials.size());
    for (size_t i = 0; i < trials.size(); ++i) {
      trials[i].evaluation = std::move((*merged)[i]);
      trials[i].seconds = share;
    }
  } else {
    for (Trial& trial : trials) {
      const double start = now();
      trial.evaluation = try_evaluate(evaluator, trial);
      trial.seconds = now() - start;
    }
  }
  for (Trial& trial : trials) {
    trial.host = host_name();
  }
  return trials;
}

}  // namespace retia
