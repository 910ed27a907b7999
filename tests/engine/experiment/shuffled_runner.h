#pragma once

#include <functional>
#include <vector>

#include "retia/engine/base/random.h"
#include "retia/engine/experiment/runner.h"

namespace retia {

/// Ends jobs in an order drawn from a seed, some of them together, without a process or a thread.
class ShuffledRunner final : public Runner {
 public:
  using Score = std::function<Evaluation(const Proposal&)>;

  ShuffledRunner(Score score, int64_t concurrency, uint64_t seed)
      : score_(std::move(score)), concurrency_(concurrency), random_(seed) {}

  int64_t concurrency() const override { return concurrency_; }

  void start(Job job) override {
    EXPECT_LT(static_cast<int64_t>(running_.size()), concurrency_);
    n_recovered += job.recovered ? 1 : 0;
    sizes.push_back(job.trials.size());
    for (const Trial& trial : job.trials) {
      began.push_back(trial.proposal.id);
    }
    floors.push_back(job.trials.at(0).floors);
    running_.push_back(std::move(job));
  }

  std::vector<Trial> wait(double) override {
    std::vector<Trial> all;
    while (!running_.empty() && (all.empty() || random_.below(4) == 0)) {
      const auto any = running_.begin() + random_.below(static_cast<int64_t>(running_.size()));
      for (Trial& trial : any->trials) {
        trial.evaluation = score_(trial.proposal);
        trial.seconds = 1;
        trial.host = "nowhere";
        trial.n_attempts = 1;
        ended.push_back(trial.proposal.id);
        all.push_back(std::move(trial));
      }
      running_.erase(any);
    }
    return all;
  }

  void stop() override { running_.clear(); }

  std::vector<int64_t> began, ended;  ///< ids, in order
  std::vector<size_t> sizes;          ///< of the jobs, in order
  std::vector<std::vector<double>> floors;
  int64_t n_recovered = 0;  ///< jobs

 private:
  Score score_;
  int64_t concurrency_;
  Random random_;
  std::vector<Job> running_;
};

}  // namespace retia
