#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "retia/engine/base/random.h"

namespace retia {

/// The probability of each decision between n candidates with logits q_1 … q_n:
///   n_chosen = k: P(S) = exp(sum_{i in S} q_i) / Z over all sets S of k candidates; for k = 1 this
///                 is softmax(q);
///   none:         each candidate is chosen independently, with
///                 p_i = softmax([-q_i, q_i])_2 = sigmoid(2 q_i).
/// Tensors returned are differentiable in the logits.
class DecisionDistribution {
 public:
  /// `logits`: `[n]`. `n_chosen`: in 0 … n; none: any number.
  DecisionDistribution(at::Tensor logits, std::optional<int64_t> n_chosen);

  /// Returns a sampled decision, ascending.
  std::vector<int64_t> sample(Random& random) const;

  /// Returns the likeliest decision, ascending; of equally likely ones, that with the lower
  /// indices. Where any number may be chosen: the candidates with p > 1/2.
  std::vector<int64_t> mode() const;

  /// Returns log P(chosen), a scalar.
  at::Tensor log_prob(const std::vector<int64_t>& chosen) const;

  /// Returns the entropy -sum_S P(S) log P(S), a scalar.
  at::Tensor entropy() const;

  /// Returns sum_i KL(p_i || target), a scalar, where any number may be chosen; else undefined.
  at::Tensor divergence(double target) const;

 private:
  at::Tensor probabilities() const;
  std::vector<int64_t> sample_set(Random& random) const;

  at::Tensor logits_;
  std::optional<int64_t> n_chosen_;
  // For sets of k > 1: the logit of the probability that candidate i is in the set when c of the
  // candidates i … n-1 have to be, `[n, k + 1]`; and log Z.
  at::Tensor inclusion_;
  at::Tensor log_total_;
};

}  // namespace retia
