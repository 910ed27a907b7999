#pragma once

#include "retia/engine/base/random.h"
#include "retia/engine/mutables/mutator.h"

namespace retia {

/// The options of RandomMutator and SposMutator.
struct RandomMutatorOptions {
  uint64_t seed = 0;  ///< seed of the decisions
};

/// Decides uniformly: one candidate of each layer choice; n_chosen distinct inputs of an input
/// choice, every set equally likely, or each input with probability 1/2 where any number may be
/// chosen. Source: Li and Talwalkar, "Random Search and Reproducibility for NAS", UAI 2019.
class RandomMutator : public Mutator {
 public:
  /// Binds all choices in `model`, of any kind.
  RandomMutator(const torch::nn::Module& model, const RandomMutatorOptions& options);

  Architecture sample_search() override;
  /// Returns the architecture of the next sample_search. Methods with this mutator find their
  /// architecture afterwards, by multi-trial search with the trained weights.
  Architecture sample_final() const override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  virtual Architecture draw(Random& random) const;

  Random random_;
};

}  // namespace retia
