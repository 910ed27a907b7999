#include "mutators/strategies.h"

#include "mutators/strategies/grid.h"
#include "mutators/strategies/random.h"

namespace retia {
namespace {

std::unique_ptr<Strategy> make_grid(const GridOptions&, const ir::Graph& space, uint64_t) {
  return std::make_unique<GridStrategy>(space);
}

std::unique_ptr<Strategy> make_random(const RandomOptions& options, const ir::Graph& space,
                                      uint64_t seed) {
  return std::make_unique<RandomStrategy>(space, options, seed);
}

}  // namespace

std::unique_ptr<Strategy> StrategyTable::make(const std::string& name, const Json& options,
                                              const ir::Graph& space, uint64_t seed) const {
  return entry(name).make(options, space, seed);
}

const Json& StrategyTable::defaults(const std::string& name) const { return entry(name).defaults; }

std::vector<std::string> StrategyTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    names.push_back(name);
  }
  return names;
}

const StrategyTable::Entry& StrategyTable::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  TORCH_CHECK(found != entries_.end(), "unknown strategy '", name, "'", suggestion(name, names()));
  return found->second;
}

StrategyTable standard_strategies() {
  StrategyTable table;
  table.add("grid", make_grid);
  table.add("random", make_random);
  return table;
}

}  // namespace retia
