#pragma once

#include "engine/ir/window.h"
#include "mutators/one_shot/random.h"

namespace retia {

/// Single Path One-Shot (Guo et al., ECCV 2020): every step trains one path, each choice of it
/// drawn uniformly and independently: a ~ U(A). So it is the random mutator on spaces that have
/// paths: choices of any number of inputs are refused. With filters, such as windows of costs, each
/// step first draws one of them, every one equally likely, and A are the architectures that it
/// admits: so every range of costs is trained equally often, however few architectures it has.
class SposMutator final : public RandomMutator {
 public:
  /// filters: none, or a null one, admits all.
  SposMutator(const torch::nn::Module& model, const RandomMutatorOptions& options,
              std::vector<ir::Filter> filters = {});

 private:
  /// Goes on to another filter when none of 10,000 / filters is admitted by one; throws after the
  /// last.
  Architecture draw(Random& random) const override;

  std::vector<ir::Filter> filters_;
};

}  // namespace retia
