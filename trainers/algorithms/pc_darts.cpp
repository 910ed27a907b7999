#include "retia/trainers/algorithms/pc_darts.h"

#include "retia/mutators/darts.h"

namespace retia {

Search make_pc_darts(const PcDartsOptions& options, const SearchSetup& setup, uint64_t seed) {
  check_declared(options, "algorithm");
  SearchSetup partial = setup;
  partial.costed = setup.network->graph();
  if (options.partial_channels != 1) {
    TORCH_CHECK(setup.space_with && setup.space_options.contains("partial_channels"),
                "pc_darts changes the option partial_channels of the space, but this one has "
                "none: give darts_cnn, or --set algorithm.partial_channels=1");
    partial.network = remade(
        setup.network, setup.space_with({{"partial_channels", options.partial_channels}}), seed);
  }
  return search_by<BilevelTrainer>(
      partial,
      std::make_unique<DartsMutator>(*partial.network,
                                     AlphaOptions{.seed = seed, .edge_alphas = true}),
      BilevelOptions{.warmup = options.warmup,
                     .alpha_optimizer = options.alpha_optimizer,
                     .penalty = options.penalty,
                     .early_stop = options.early_stop});
}

}  // namespace retia
