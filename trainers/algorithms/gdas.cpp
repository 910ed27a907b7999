#include "retia/trainers/algorithms/gdas.h"

#include "retia/mutators/gdas.h"

namespace retia {

Search make_gdas(const GdasOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_by<BilevelTrainer>(
      setup,
      std::make_unique<GdasMutator>(
          *setup.network, GdasMutatorOptions{.alphas = {.seed = seed},
                                             .first_temperature = options.first_temperature,
                                             .last_temperature = options.last_temperature,
                                             .hard = options.hard}),
      BilevelOptions{.alpha_optimizer = options.alpha_optimizer, .penalty = options.penalty});
}

}  // namespace retia
