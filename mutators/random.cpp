#include "retia/mutators/random.h"

#include "retia/engine/mutables/uniform_sample.h"

namespace retia {

RandomMutator::RandomMutator(const torch::nn::Module& model, const RandomMutatorOptions& options)
    : Mutator(model), random_(options.seed) {}

Architecture RandomMutator::sample_search() { return draw(random_); }

Architecture RandomMutator::sample_final() const {
  Random copy = random_;
  return draw(copy);
}

Architecture RandomMutator::draw(Random& random) const {
  return sample_uniformly(mutables(), random);
}

Json RandomMutator::state() const { return {{"random", random_.state()}}; }

void RandomMutator::load_state(const Json& state) { random_.set_state(state.at("random")); }

}  // namespace retia
