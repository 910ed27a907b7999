#pragma once

#include "engine/ir/window.h"
#include "mutators/one_shot/random.h"

namespace retia {

/// Single Path One-Shot (Guo et al., ECCV 2020): every step trains one path, each choice of it
/// drawn uniformly and independently: a ~ U(A). So it is the random mutator on spaces that have
/// paths: choices of any number of inputs are refused. With a filter, such as a window of costs, A
/// are the architectures that it admits.
class SposMutator final : public RandomMutator {
 public:
  SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options,
              ir::Filter admits = nullptr);

 private:
  /// Throws when none of 10,000 is admitted.
  Architecture draw(Random& random) const override;

  ir::Filter admits_;
};

}  // namespace retia
