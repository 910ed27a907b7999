#pragma once

#include <memory>

#include "engine/factory_table.h"
#include "engine/ir/space.h"
#include "engine/strategy.h"

namespace retia {

/// Makers take (options, space, seed).
using StrategyTable = FactoryTable<std::unique_ptr<Strategy>, const ir::Space&, uint64_t>;

/// grid, random, spos_evolution.
StrategyTable standard_strategies();

}  // namespace retia
