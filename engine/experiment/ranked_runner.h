#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/runner.h"

namespace retia {

/// Runs an experiment's jobs on several ranks at once, one job per rank; every rank holds the data
/// that the evaluator needs. The first rank runs the experiment with this runner, the other ranks
/// call follow(). When any rank is asked to stop, or is lost, running jobs count as stopped.
class RankedRunner final : public Runner {
 public:
  /// `evaluator`: scores by the architecture alone, to the same number on every rank. All arguments
  /// must outlive this object. `stop_requested`: polled on each rank.
  RankedRunner(Evaluator& evaluator, Ranks& ranks, std::function<bool()> stop_requested);

  int64_t concurrency() const override { return ranks_.size(); }
  void start(Job job) override;
  /// Runs one job per rank, and waits for all of them.
  std::vector<Trial> wait(double seconds) override;
  void stop() override { jobs_.clear(); }

  /// Runs jobs on a rank other than the first until conclude() is called on the first rank; returns
  /// the architecture given there.
  std::optional<Architecture> follow();
  /// Ends follow() on all other ranks; called on the first rank. `found`: the canonical
  /// architecture that was found; none: the search was stopped.
  void conclude(const std::optional<Architecture>& found);

 private:
  /// Runs this rank's job; returns the results of all ranks.
  std::vector<Trial> run(std::vector<Job> jobs);

  Evaluator& evaluator_;
  Ranks& ranks_;
  std::function<bool()> stop_requested_;
  std::deque<Job> jobs_;
};

}  // namespace retia
