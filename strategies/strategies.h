#pragma once

#include <memory>

#include "retia/engine/experiment/strategy.h"
#include "retia/engine/io/factory_table.h"
#include "retia/strategies/domain.h"

namespace retia {

/// The table of strategies. Factories take (options, domain of proposals, seed); a space converts
/// to a Domain.
using StrategyTable = FactoryTable<std::unique_ptr<Strategy>, const Domain&, uint64_t>;

/// Returns a table of the built-in strategies.
StrategyTable standard_strategies();

}  // namespace retia
