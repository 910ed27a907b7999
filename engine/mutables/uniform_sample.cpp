#include "retia/engine/mutables/uniform_sample.h"

namespace retia {

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
