#pragma once

#include "retia/engine/io/option.h"
#include "retia/strategies/factors.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The options of ReinforceStrategy.
struct ReinforceStrategyOptions {
  double lr = 0.2;               ///< learning rate of the logits, > 0
  double baseline_decay = 0.9;   ///< decay of the moving averages of rewards, in [0, 1]
  double entropy_weight = 0.01;  ///< weight of the policy's entropy as a bonus, ≥ 0
  OnFailure on_failure = OnFailure::Ignore;
  Duplicates duplicates = Duplicates::Skip;
  int64_t tries = 500;  ///< draws from the policy to find a new architecture, ≥ 1
};
inline std::vector<Option> declared(ReinforceStrategyOptions& o) {
  return {
      option("lr", o.lr, Range::above(0), "learning rate of the logits"),
      option("baseline_decay", o.baseline_decay, Range{0, 1},
             "decay of the moving averages of rewards"),
      option("entropy_weight", o.entropy_weight, Range{0},
             "weight of the policy's entropy as a bonus"),
      option("on_failure", o.on_failure, "what a failed trial counts as"),
      option("duplicates", o.duplicates, "architectures that were proposed before"),
      option("tries", o.tries, Range{1, 1e9}, "draws from the policy to find a new architecture"),
  };
}

/// REINFORCE: a policy over decisions trained by policy gradients (Williams 1992; the reinforcement
/// learner of NAS-Bench-101 and 201, Ying et al. 2019, Dong and Yang 2020). Every decision is drawn
/// from a softmax of its own logits. After a trial, for each decision d that the architecture uses,
///   logits += lr · (A ∇ log p(d) + entropy_weight ∇ H),   A = (reward - baseline) / deviation,
/// where H is the entropy and baseline and deviation are moving averages of the rewards, so that
/// their scale does not matter.
class ReinforceStrategy final : public Strategy {
 public:
  /// Proposes architectures of `domain`, at first uniformly. `seed`: seed of the draws from the
  /// policy. Throws, naming the option, where one is out of range.
  ReinforceStrategy(const Domain& domain, const ReinforceStrategyOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

  /// Returns the policy: one distribution per factor.
  std::vector<std::vector<double>> probabilities() const;

 private:
  double advantage(double reward);

  Proposals proposals_;
  Factors factors_;
  ReinforceStrategyOptions options_;
  Random random_;
  std::vector<std::vector<double>> logits_;  // [factor][category]
  int64_t n_told_ = 0;
  double baseline_ = 0, variance_ = 0, worst_ = 0;  // statistics of the rewards
};

}  // namespace retia
