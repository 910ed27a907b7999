#pragma once

#include "engine/mutator.h"
#include "engine/random.h"

namespace retia {

struct SposMutatorOptions {
  uint64_t seed = 0;
};

/// Single Path One-Shot (Guo et al., ECCV 2020): every step trains one path, each choice of it
/// drawn uniformly and independently: a ~ U(A). Choices of any number of inputs are refused.
class SposMutator final : public Mutator {
 public:
  SposMutator(const torch::nn::Module& model, const SposMutatorOptions& options);

  Architecture sample_search() override;
  /// What the next sample_search would give: the method searches with trained weights, by trials.
  Architecture sample_final() const override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  Random random_;
};

}  // namespace retia
