#include "retia/trainers/algorithms/evolved.h"

namespace retia {

MakeStrategy evolution(const EvolvedOptions& options, const SearchSetup& setup, uint64_t seed) {
  const ir::Window& window = options.window;
  if (!window.table.empty() && (window.min_latency > 0 || window.max_latency > 0)) {
    check_conditions(window.table, setup);
  }
  return [options, seed](const ir::Graph& space) {
    return std::make_unique<SposEvolutionStrategy>(Domain(space, ir::within(space, options.window)),
                                                   options.evolution, seed);
  };
}

SinglePathOptions with_evolution(const EvolvedOptions& options, int64_t paths_per_step) {
  return {.paths_per_step = paths_per_step,
          .n_candidates = options.evolution.population * options.evolution.rounds,
          .n_top = options.evolution.parents,
          .recalibration_batches = options.recalibration_batches,
          .penalty = options.penalty};
}

}  // namespace retia
