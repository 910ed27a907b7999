#pragma once

#include <functional>

#include "mutators/one_shot/policy_mutator.h"

namespace retia {

struct ReinforceOptions {
  double entropy_weight = 1e-4;   ///< of the entropy in the reward, ≥ 0
  double penalty_weight = 0.8;    ///< of the policy's penalty in the loss, ≥ 0
  double baseline_decay = 0.999;  ///< d, 0 to 1
};

/// The loss of REINFORCE (Williams 1992) with a moving baseline, as ENAS has it: of architectures
/// a_1 … a_n sampled one after the other
///   r_i = reward(a_i) + entropy_weight entropy_i,   b <- d b + (1 - d) r_i,
///   loss = 1/n sum_i -log p(a_i) (r_i - b) + penalty_weight penalty_i;
/// no gradient goes through r_i and b.
class Reinforce {
 public:
  /// Throws, naming it, where an option is out of its range.
  explicit Reinforce(const ReinforceOptions& options);

  /// Samples `n` architectures from `policy`; `reward` is asked for that of each while it holds.
  /// Returns the loss, a scalar.
  at::Tensor loss(PolicyMutator& policy, int64_t n, const std::function<double()>& reward);

  /// b, 0 before the first reward.
  double baseline() const { return baseline_; }
  void set_baseline(double baseline) { baseline_ = baseline; }

 private:
  ReinforceOptions options_;
  double baseline_ = 0;
};

}  // namespace retia
