#include "retia/trainers/algorithms/random.h"

#include "retia/mutators/random.h"
#include "retia/strategies/random.h"
#include "retia/trainers/one_shot/single_path_trainer.h"

namespace retia {

Search make_random(const RandomSearchOptions& options, const SearchSetup& setup, uint64_t seed) {
  const auto draw = [seed](const ir::Graph& space) {
    return std::make_unique<RandomStrategy>(space, RandomOptions{}, seed);
  };
  return search_by<SinglePathTrainer>(
      setup, std::make_unique<RandomMutator>(*setup.network, RandomMutatorOptions{.seed = seed}),
      draw,
      SinglePathOptions{.n_candidates = options.n_candidates,
                        .recalibration_batches = options.recalibration_batches,
                        .penalty = options.penalty});
}

}  // namespace retia
