#pragma once

#include "mutators/one_shot/random.h"

namespace retia {

/// Single Path One-Shot (Guo et al., ECCV 2020): every step trains one path, each choice of it
/// drawn uniformly and independently: a ~ U(A). So it is the random mutator on spaces that have
/// paths: choices of any number of inputs are refused.
class SposMutator final : public RandomMutator {
 public:
  SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options);
};

}  // namespace retia
