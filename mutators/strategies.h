#pragma once

#include <memory>

#include "engine/factory_table.h"
#include "engine/strategy.h"
#include "mutators/strategies/domain.h"

namespace retia {

/// Makers take (options, what may be proposed, seed). A space serves as the second.
using StrategyTable = FactoryTable<std::unique_ptr<Strategy>, const Domain&, uint64_t>;

/// asha, evolution, grid, local_search, nsga2, random, reinforce, spos_evolution, tpe.
StrategyTable standard_strategies();

}  // namespace retia
