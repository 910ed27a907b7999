#pragma once

#include <map>
#include <string>

#include "engine/mutator.h"

namespace retia {

struct DartsMutatorOptions {
  double alpha_scale = 1e-3;  ///< standard deviation of the initial alphas
  uint64_t seed = 0;          ///< of the initial alphas
};

/// DARTS (Liu et al., ICLR 2019). Each layer choice i is the blend
///   o_i(x) = sum_k p_ik o_ik(x),  p_i = softmax(alpha_i)
/// with one alpha vector a label. An input choice that keeps all its inputs, or whose inputs are
/// all made by layer choices, joins them all; any other one blends its inputs by alphas of its own.
///
/// The architecture kept: of a layer choice the strongest candidate but "none" (one that makes
/// zeros); of an input choice the n_chosen inputs with the largest max_k p_ik over candidates but
/// "none".
class DartsMutator final : public Mutator {
 public:
  /// Throws on choices that a blend has no meaning for: of any number of inputs.
  DartsMutator(const torch::nn::Module& model, const DartsMutatorOptions& options);

  /// Everything, always.
  Architecture sample_search() override;
  Architecture sample_final() const override;

  /// softmax(alpha), `[n candidates]`, while everything is chosen; undefined while one path is.
  at::Tensor weights(const Mutable& choice) const override;

  /// The alphas of a label, `[n candidates]`. Throws when it has none.
  const at::Tensor& alpha(const std::string& label) const;

 private:
  bool has_alpha(const Mutable& choice) const;
  Decision strongest(const Mutable& choice) const;
  double edge_strength(const Mutable& layer_choice) const;
  std::vector<double> probabilities(const Mutable& choice) const;

  std::map<std::string, at::Tensor> alphas_;
};

}  // namespace retia
