#include "mutators/one_shot/spos.h"

#include "mutators/one_shot/random.h"

namespace retia {

SposMutator::SposMutator(const torch::nn::Module& model, const SposMutatorOptions& options)
    : Mutator(model), random_(options.seed) {
  for (const Mutable& choice : mutables()) {
    TORCH_CHECK(choice.n_chosen.has_value(), "spos trains one path, but '", choice.label,
                "' may choose any number of inputs: give it n_chosen, or use random");
  }
}

Architecture SposMutator::sample_search() { return sample_uniformly(mutables(), random_); }

Architecture SposMutator::sample_final() const {
  Random copy = random_;
  return sample_uniformly(mutables(), copy);
}

Json SposMutator::state() const { return {{"random", random_.state()}}; }

void SposMutator::load_state(const Json& state) { random_.set_state(state.at("random")); }

}  // namespace retia
