#include "retia/trainers/algorithms/fairnas.h"

#include "retia/mutators/fairnas.h"

namespace retia {

Search make_fairnas(const EvolvedOptions& options, const SearchSetup& setup, uint64_t seed) {
  auto mutator =
      std::make_unique<FairnasMutator>(*setup.network, FairnasMutatorOptions{.seed = seed});
  const int64_t n_paths = mutator->n_paths();
  return search_by<SinglePathTrainer>(setup, std::move(mutator), evolution(options, setup, seed),
                                      with_evolution(options, n_paths));
}

}  // namespace retia
