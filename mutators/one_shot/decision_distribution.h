#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/random.h"

namespace retia {

/// How likely each decision between n candidates with logits q_1 … q_n is:
///   n_chosen = k  P(S) = exp(sum_{i in S} q_i) / Z over all sets S of k candidates, so that k = 1
///                 is softmax(q);
///   none          candidates are chosen each by itself with p_i = softmax([-q_i, q_i])_2 =
///                 sigmoid(2 q_i).
/// What it gives as tensors is differentiable in the logits.
class DecisionDistribution {
 public:
  /// logits: `[n]`; n_chosen: 0 to n.
  DecisionDistribution(at::Tensor logits, std::optional<int64_t> n_chosen);

  /// A decision drawn from it, ascending.
  std::vector<int64_t> sample(Random& random) const;

  /// The likeliest decision, ascending; of equally likely ones that of the lower indices. Where any
  /// number may be chosen: the candidates of p > 1/2.
  std::vector<int64_t> mode() const;

  /// log P(chosen), a scalar.
  at::Tensor log_prob(const std::vector<int64_t>& chosen) const;

  /// -sum_S P(S) log P(S), a scalar.
  at::Tensor entropy() const;

  /// Where any number may be chosen: sum_i KL(p_i || target), a scalar. Else undefined.
  at::Tensor divergence(double target) const;

 private:
  at::Tensor probabilities() const;
  std::vector<int64_t> sample_set(Random& random) const;

  at::Tensor logits_;
  std::optional<int64_t> n_chosen_;
  // Of sets of k > 1: whether candidate i is in the set when c of candidates i … n-1 have to be, as
  // the logit of its probability, `[n, k + 1]`, and log Z.
  at::Tensor inclusion_;
  at::Tensor log_total_;
};

}  // namespace retia
