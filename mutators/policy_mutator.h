#pragma once

#include "retia/engine/mutables/mutator.h"

namespace retia {

/// The terms of a policy for one architecture: scalars, differentiable in the policy's parameters,
/// with their device and dtype.
struct PolicyTerms {
  at::Tensor log_prob;  ///< log of the probability that the architecture is sampled
  /// Sum of the entropies of the decisions, each given the decisions before it. Its mean over
  /// sampled architectures is the entropy of the policy.
  at::Tensor entropy;
  /// Divergence of the policy from a target that does not depend on the reward; ≥ 0.
  at::Tensor penalty;
};

/// A mutator that samples architectures from a learnt distribution, its policy. Trainers use
/// controllers through this interface.
class PolicyMutator : public Mutator {
 public:
  using Mutator::Mutator;

  /// Returns all terms for an architecture that decides every mutable; draws no random numbers.
  virtual PolicyTerms terms(const Architecture& architecture) const = 0;

  /// Returns PolicyTerms::log_prob of the current architecture.
  at::Tensor log_prob() const { return terms(current()).log_prob; }
  /// Returns PolicyTerms::entropy of the current architecture.
  at::Tensor entropy() const { return terms(current()).entropy; }
  /// Returns PolicyTerms::penalty of the current architecture.
  at::Tensor penalty() const { return terms(current()).penalty; }
};

}  // namespace retia
