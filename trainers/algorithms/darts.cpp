#include "retia/trainers/algorithms/darts.h"

#include "retia/mutators/darts.h"

namespace retia {

Search make_darts(const BilevelOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_by<BilevelTrainer>(
      setup, std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = seed}), options);
}

}  // namespace retia
