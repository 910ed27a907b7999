#pragma once

#include <map>
#include <string>

#include "retia/engine/cost/expected_cost.h"
#include "retia/engine/mutables/mutator.h"

namespace retia {

/// The options of the alphas of a mutator.
struct AlphaOptions {
  double alpha_scale = 1e-3;  ///< standard deviation of the initial alphas
  uint64_t seed = 0;          ///< seed of the initial alphas and of sampling
  /// Gives alphas also to input choices whose inputs are all made by layer choices: the edge
  /// normalisation (beta) of PC-DARTS (Xu et al., ICLR 2020).
  bool edge_alphas = false;
};

/// The common part of methods that learn an alpha per candidate: the parameters, and the
/// architecture they stand for. Each layer or value choice i has p_i = softmax(alpha_i), one vector
/// per label. An input choice has alphas of its own only if it drops inputs and, unless edge_alphas
/// is set, its inputs are not all made by layer choices; otherwise it keeps all inputs during the
/// search.
///
/// The final architecture keeps the strongest candidate of each layer choice except "none" (a
/// candidate that outputs zeros), the strongest value of each value choice, and of each input
/// choice the n_chosen inputs with the largest p. Where layer choices make the inputs, input i is
/// ranked by q_i * max_k p_ik instead, over candidates k except "none"; q_i = 1 without
/// edge_alphas.
class AlphaMutator : public Mutator {
 public:
  Architecture sample_final() const override { return strongest(probabilities()); }

  /// Returns the architecture that `p` stands for: label → probability of each candidate, for every
  /// label with alphas.
  Architecture strongest(const std::map<std::string, std::vector<double>>& p) const;

  /// Returns the alphas of a label, `[n candidates]`. Throws when the label has none.
  const at::Tensor& alpha(const std::string& label) const;

  /// Returns the softmax of the alphas of every label that has them, on the host, in one transfer.
  std::map<std::string, std::vector<double>> probabilities() const override;

  /// Returns the probability of each decision of each label, if architectures were sampled,
  /// differentiable in the alphas: of one candidate p; of sets of candidates P(S) ~ exp(sum of
  /// their alphas) (see DecisionDistribution); uniform for labels without alphas.
  ir::DecisionProbabilities decision_probabilities() const;

 protected:
  /// Throws on an input choice of any number of inputs, which cannot be blended.
  AlphaMutator(const torch::nn::Module& model, const AlphaOptions& options);

  /// Returns whether the label has alphas.
  bool has_alpha(const std::string& label) const { return alphas_.count(label) != 0; }

 private:
  std::map<std::string, at::Tensor> alphas_;
};

/// Returns the decision that chooses all candidates of `choice`.
Decision everything(const Mutable& choice);

/// Returns the indices of the `n` largest of `strengths`, ascending; of equal ones the first.
Decision largest(const std::vector<double>& strengths, int64_t n);

}  // namespace retia
