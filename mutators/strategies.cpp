#include "retia/mutators/strategies.h"

#include "retia/mutators/strategies/asha.h"
#include "retia/mutators/strategies/evolution.h"
#include "retia/mutators/strategies/grid.h"
#include "retia/mutators/strategies/local_search.h"
#include "retia/mutators/strategies/nsga2.h"
#include "retia/mutators/strategies/random.h"
#include "retia/mutators/strategies/reinforce.h"
#include "retia/mutators/strategies/spos_evolution.h"
#include "retia/mutators/strategies/tpe.h"

namespace retia {
namespace {

template <class Made, class Options>
std::unique_ptr<Strategy> make(const Options& options, const Domain& domain, uint64_t seed) {
  return std::make_unique<Made>(domain, options, seed);
}

}  // namespace

StrategyTable standard_strategies() {
  StrategyTable table("strategy");
  table.add("asha", make<AshaStrategy, AshaOptions>);
  table.add("evolution", make<EvolutionStrategy, EvolutionOptions>);
  table.add("grid", make<GridStrategy, GridOptions>);
  table.add("local_search", make<LocalSearchStrategy, LocalSearchOptions>);
  table.add("nsga2", make<Nsga2Strategy, Nsga2Options>);
  table.add("random", make<RandomStrategy, RandomOptions>);
  table.add("reinforce", make<ReinforceStrategy, ReinforceStrategyOptions>);
  table.add("spos_evolution", make<SposEvolutionStrategy, SposEvolutionOptions>);
  table.add("tpe", make<TpeStrategy, TpeOptions>);
  return table;
}

}  // namespace retia
