#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "engine/distributed/ranks.h"
#include "engine/experiment/runner.h"

namespace retia {

/// Runs an experiment's jobs on several ranks at once, a job each, all of which hold what the
/// evaluator goes by. The first rank runs the experiment with this runner, the others follow().
/// Where any rank is asked to stop, or is lost, the jobs that run count as stopped.
class RankedRunner final : public Runner {
 public:
  /// evaluator: scores by the architecture alone, in each rank by itself and to the same number.
  /// All outlive this. stop_requested: asked on each rank now and then.
  RankedRunner(Evaluator& evaluator, Ranks& ranks, std::function<bool()> stop_requested);

  int64_t concurrency() const override { return ranks_.size(); }
  void start(Job job, bool recovered = false) override;
  /// Runs as many as there are ranks, and waits for all of them.
  std::vector<TrialResult> wait(double seconds) override;
  void stop() override { jobs_.clear(); }

  /// On ranks but the first: runs jobs until the first says which architecture (canonical) it has
  /// come to; none: it was stopped.
  std::optional<Architecture> follow();
  /// On the first rank: says so.
  void conclude(const std::optional<Architecture>& found);

 private:
  /// Runs this rank's of the jobs, one a rank; returns the results of all ranks.
  std::vector<TrialResult> run(const std::vector<Job>& jobs);

  Evaluator& evaluator_;
  Ranks& ranks_;
  std::function<bool()> stop_requested_;
  std::deque<Job> jobs_;
};

}  // namespace retia
