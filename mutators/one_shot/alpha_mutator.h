#pragma once

#include <map>
#include <string>

#include "engine/ir/expected_cost.h"
#include "engine/mutator.h"

namespace retia {

struct AlphaOptions {
  double alpha_scale = 1e-3;  ///< standard deviation of the initial alphas
  uint64_t seed = 0;          ///< of the initial alphas, and of what is sampled
  /// Whether an input choice whose inputs are made by layer choices has alphas of its own too: the
  /// edge normalisation beta of PC-DARTS (Xu et al., ICLR 2020).
  bool edge_alphas = false;
};

/// What the methods share that learn an alpha per candidate: the parameters, and which architecture
/// they stand for. Each layer or value choice i has p_i = softmax(alpha_i), one vector a label. An
/// input choice that keeps all its inputs, or whose inputs are all made by layer choices, joins
/// them all (unless edge_alphas); any other one has alphas of its own.
///
/// The architecture kept: of a layer choice the strongest candidate but "none" (one that makes
/// zeros); of a value choice the strongest value; of an input choice the n_chosen inputs with the
/// largest p, or q * max_k p_ik over candidates but "none" where layer choices make them (q = 1
/// without edge_alphas).
class AlphaMutator : public Mutator {
 public:
  Architecture sample_final() const override { return strongest(probabilities()); }

  /// The architecture that `p`, a probability per candidate of every label with alphas, stands for.
  Architecture strongest(const std::map<std::string, std::vector<double>>& p) const;

  /// The alphas of a label, `[n candidates]`. Throws when it has none.
  const at::Tensor& alpha(const std::string& label) const;

  /// softmax of the alphas of every label that has them, on the host, in one transfer.
  std::map<std::string, std::vector<double>> probabilities() const override;

  /// How likely each decision of each label is, if architectures were drawn, differentiable in the
  /// alphas: of one candidate p; of several P(S) ~ exp(sum of their alphas) (see
  /// DecisionDistribution); without alphas all are equally likely.
  ir::DecisionProbabilities decision_probabilities() const;

 protected:
  /// Throws on choices that a blend has no meaning for: of any number of inputs.
  AlphaMutator(const torch::nn::Module& model, const AlphaOptions& options);

  bool has_alpha(const std::string& label) const { return alphas_.count(label) != 0; }

 private:
  std::map<std::string, at::Tensor> alphas_;
};

/// All candidates of `choice`.
Decision everything(const Mutable& choice);

/// The `n` largest of `strengths`, as ascending indices; of equal ones the first.
Decision largest(const std::vector<double>& strengths, int64_t n);

}  // namespace retia
