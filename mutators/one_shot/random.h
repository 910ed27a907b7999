#pragma once

#include "engine/mutator.h"
#include "engine/random.h"

namespace retia {

struct RandomMutatorOptions {
  uint64_t seed = 0;
};

/// Decides uniformly: one candidate of a layer choice; of an input choice n_chosen distinct inputs,
/// every set equally likely, or, where any number may be chosen, each input with probability 1/2.
/// Li and Talwalkar, "Random Search and Reproducibility for NAS", UAI 2019.
class RandomMutator : public Mutator {
 public:
  RandomMutator(const torch::nn::Module& model, const RandomMutatorOptions& options);

  Architecture sample_search() override;
  /// What the next sample_search would give: the methods that draw so search by trials.
  Architecture sample_final() const override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  virtual Architecture draw(Random& random) const;

  Random random_;
};

/// A uniform decision.
Decision sample_uniformly(const Mutable& choice, Random& random);

/// One for each of `mutables`.
Architecture sample_uniformly(const std::vector<Mutable>& mutables, Random& random);

}  // namespace retia
