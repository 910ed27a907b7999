#include "retia/trainers/algorithms/proxyless.h"

#include "retia/mutators/proxyless.h"

namespace retia {

Search make_proxyless(const ProxylessOptions& options, const SearchSetup& setup, uint64_t seed) {
  return search_by<BilevelTrainer>(
      setup,
      std::make_unique<ProxylessMutator>(*setup.network, AlphaOptions{.seed = seed}, options.paths),
      BilevelOptions{.warmup = options.warmup,
                     .alpha_optimizer = options.alpha_optimizer,
                     .penalty = options.penalty});
}

}  // namespace retia
