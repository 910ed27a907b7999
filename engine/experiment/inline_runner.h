#pragma once

#include <deque>
#include <filesystem>
#include <functional>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/runner.h"

namespace retia {

/// Runs jobs in this process, one after the other, inside wait().
class InlineRunner final : public Runner {
 public:
  /// `evaluator` must outlive this object. `weights`: see Trial. `stop_requested`: polled by
  /// evaluators. `concurrency`: the number of jobs it accepts, so that an experiment proposes the
  /// same trials as with a runner that runs as many at once.
  InlineRunner(Evaluator& evaluator, std::filesystem::path weights,
               std::function<bool()> stop_requested, int64_t concurrency = 1);

  int64_t concurrency() const override { return concurrency_; }
  void start(Job job) override;
  std::vector<Trial> wait(double seconds) override;
  void stop() override { jobs_.clear(); }

 private:
  Evaluator& evaluator_;
  std::filesystem::path weights_;
  std::function<bool()> stop_requested_;
  int64_t concurrency_;
  std::deque<Job> jobs_;
};

}  // namespace retia
