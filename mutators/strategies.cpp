#include "mutators/strategies.h"

#include "mutators/strategies/grid.h"
#include "mutators/strategies/random.h"
#include "mutators/strategies/spos_evolution.h"

namespace retia {
namespace {

std::unique_ptr<Strategy> make_grid(const GridOptions&, const ir::Space& space, uint64_t) {
  return std::make_unique<GridStrategy>(space);
}

std::unique_ptr<Strategy> make_random(const RandomOptions& options, const ir::Space& space,
                                      uint64_t seed) {
  return std::make_unique<RandomStrategy>(space, options, seed);
}

std::unique_ptr<Strategy> make_spos_evolution(const SposEvolutionOptions& options,
                                              const ir::Space& space, uint64_t seed) {
  return std::make_unique<SposEvolutionStrategy>(space, options, seed);
}

}  // namespace

StrategyTable standard_strategies() {
  StrategyTable table("strategy");
  table.add("grid", make_grid);
  table.add("random", make_random);
  table.add("spos_evolution", make_spos_evolution);
  return table;
}

}  // namespace retia
