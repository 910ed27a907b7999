#pragma once

#include "engine/mutator.h"

namespace retia {

/// What a policy says of an architecture: scalars, differentiable in the policy's parameters, on
/// their device and of their dtype.
struct PolicyTerms {
  at::Tensor log_prob;  ///< log of the probability that it is sampled
  /// Of the decisions, each given those before it: on average over sampled architectures the
  /// entropy of the policy.
  at::Tensor entropy;
  at::Tensor penalty;  ///< how far the policy is from what it should be whatever the reward; ≥ 0
};

/// A mutator that samples architectures from a distribution it learns by reward, its policy: what
/// trainers know of controllers.
class PolicyMutator : public Mutator {
 public:
  using Mutator::Mutator;

  /// All terms of an architecture that decides everything; nothing is drawn.
  virtual PolicyTerms terms(const Architecture& architecture) const = 0;

  /// Each of the architecture that holds.
  at::Tensor log_prob() const { return terms(current()).log_prob; }
  at::Tensor entropy() const { return terms(current()).entropy; }
  at::Tensor penalty() const { return terms(current()).penalty; }
};

}  // namespace retia
