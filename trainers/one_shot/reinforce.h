#pragma once

#include <functional>

#include "retia/mutators/policy_mutator.h"

namespace retia {

/// The weights in the loss of REINFORCE; see Reinforce.
struct PolicyGradientOptions {
  double entropy_weight = 1e-4;   ///< weight of the entropy in the reward, ≥ 0
  double penalty_weight = 0.8;    ///< weight of the policy's penalty in the loss, ≥ 0
  double baseline_decay = 0.999;  ///< d, in [0, 1]
};

/// The loss of REINFORCE (Williams 1992) with a moving baseline, as in ENAS. For architectures a_1
/// … a_n sampled one after the other
///   r_i = reward(a_i) + entropy_weight entropy_i,   b <- d b + (1 - d) r_i,
///   loss = 1/n sum_i -log p(a_i) (r_i - b) + penalty_weight penalty_i;
/// no gradient flows through r_i and b.
class Reinforce {
 public:
  /// Throws, naming the option, where one is out of range.
  explicit Reinforce(const PolicyGradientOptions& options);

  /// Samples `n` architectures from `policy` and returns the loss, a scalar. `reward` is called for
  /// each architecture while it is the current one.
  at::Tensor loss(PolicyMutator& policy, int64_t n, const std::function<double()>& reward);

  /// Returns the baseline b; 0 before the first reward.
  double baseline() const { return baseline_; }
  /// Sets the baseline b, as a checkpoint has it.
  void set_baseline(double baseline) { baseline_ = baseline; }

 private:
  PolicyGradientOptions options_;
  double baseline_ = 0;
};

}  // namespace retia
