#include "retia/trainers/one_shot/reinforce.h"

namespace retia {

Reinforce::Reinforce(const PolicyGradientOptions& options) : options_(options) {
  TORCH_CHECK(options.entropy_weight >= 0, "algorithm: entropy_weight must be at least 0, got ",
              options.entropy_weight);
  TORCH_CHECK(options.penalty_weight >= 0, "algorithm: skip_weight must be at least 0, got ",
              options.penalty_weight);
  TORCH_CHECK(options.baseline_decay >= 0 && options.baseline_decay <= 1,
              "algorithm: baseline_decay must be in 0 to 1, got ", options.baseline_decay);
}

at::Tensor Reinforce::loss(PolicyMutator& policy, int64_t n,
                           const std::function<double()>& reward) {
  TORCH_CHECK(n >= 1, "a policy is updated by at least 1 architecture, got ", n);
  const double d = options_.baseline_decay;
  at::Tensor sum;
  for (int64_t i = 0; i < n; ++i) {
    policy.reset();
    const PolicyTerms terms = policy.terms(policy.current());
    const double r = reward() + options_.entropy_weight * terms.entropy.item<double>();
    baseline_ = d * baseline_ + (1 - d) * r;
    const at::Tensor loss =
        options_.penalty_weight * terms.penalty - (r - baseline_) * terms.log_prob;
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum / static_cast<double>(n);
}

}  // namespace retia
