#pragma once

#include "retia/engine/cost/window.h"
#include "retia/mutators/random.h"

namespace retia {

/// Single Path One-Shot (Guo et al., ECCV 2020): every step trains one path, with every decision
/// drawn uniformly and independently, a ~ U(A). It is the random mutator on spaces that have paths;
/// choices of any number of inputs are refused. With filters, such as cost windows, each step first
/// draws a filter uniformly, and A is the set of architectures that the filter admits; so every
/// cost range is trained equally often, however few architectures it has.
class SposMutator final : public RandomMutator {
 public:
  /// `filters`: empty, or a null filter, admits all architectures.
  SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options,
              std::vector<ir::Filter> filters = {});

 private:
  /// Draws a path; tries another filter when none of 10,000 / (number of filters) draws is
  /// admitted. Throws after the last filter.
  Architecture draw(Random& random) const override;

  std::vector<ir::Filter> filters_;
};

}  // namespace retia
