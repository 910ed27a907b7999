#pragma once

#include "mutators/one_shot/alpha_mutator.h"

namespace retia {

/// DARTS (Liu et al., ICLR 2019). Each layer choice i is the blend
///   o_i(x) = sum_k p_ik o_ik(x),  p_i = softmax(alpha_i),
/// and an input choice that has alphas the blend of its inputs. With edge_alphas it is the mutator
/// of PC-DARTS (Xu et al., ICLR 2020).
class DartsMutator final : public AlphaMutator {
 public:
  /// Throws on choices that a blend has no meaning for: of any number of inputs.
  DartsMutator(const torch::nn::Module& model, const AlphaOptions& options)
      : AlphaMutator(model, options) {}

  /// Everything, always.
  Architecture sample_search() override;

  /// softmax(alpha), `[n candidates]`, while everything is chosen; undefined while one path is.
  at::Tensor weights(const Mutable& choice) const override;
};

}  // namespace retia
