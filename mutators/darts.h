#pragma once

#include "retia/mutators/alpha_mutator.h"

namespace retia {

/// DARTS (Liu et al., ICLR 2019). Each layer choice i is the blend
///   o_i(x) = sum_k p_ik o_ik(x),  p_i = softmax(alpha_i),
/// and an input choice with alphas is the blend of its inputs in the same way. With edge_alphas
/// this is the mutator of PC-DARTS (Xu et al., ICLR 2020).
class DartsMutator final : public AlphaMutator {
 public:
  /// Throws on an input choice of any number of inputs, which cannot be blended.
  DartsMutator(const torch::nn::Module& model, const AlphaOptions& options)
      : AlphaMutator(model, options) {}

  /// Chooses all candidates of every choice, at every step.
  Architecture sample_search() override;

  /// Returns softmax(alpha), `[n candidates]`, while all candidates are chosen; undefined
  /// otherwise.
  at::Tensor weights(const Mutable& choice) const override;
};

}  // namespace retia
