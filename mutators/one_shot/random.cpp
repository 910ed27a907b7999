#include "retia/mutators/one_shot/random.h"

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

Decision sample_uniformly(const Mutable& choice, Random& random) {
  if (choice.n_chosen) {
    return {random.choose(*choice.n_chosen, choice.n_candidates())};
  }
  Decision any;
  for (int64_t k = 0; k < choice.n_candidates(); ++k) {
    if (random.below(2) == 1) {
      any.chosen.push_back(k);
    }
  }
  return any;
}

Architecture sample_uniformly(const std::vector<Mutable>& mutables, Random& random) {
  Architecture architecture;
  for (const Mutable& choice : mutables) {
    architecture[choice.label] = sample_uniformly(choice, random);
  }
  return architecture;
}

}  // namespace retia
