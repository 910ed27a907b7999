#include "retia/strategies/strategies.h"

#include "retia/strategies/asha.h"
#include "retia/strategies/evolution.h"
#include "retia/strategies/grid.h"
#include "retia/strategies/local_search.h"
#include "retia/strategies/nsga2.h"
#include "retia/strategies/random.h"
#include "retia/strategies/reinforce.h"
#include "retia/strategies/spos_evolution.h"
#include "retia/strategies/tpe.h"

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
