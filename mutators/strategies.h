#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/options.h"
#include "engine/ir/graph.h"
#include "engine/strategy.h"
#include "engine/suggest.h"

namespace retia {

/// Name -> what makes a strategy for a space. Extended by `add`.
class StrategyTable {
 public:
  /// `maker(options, space, seed)`; Options reads from JSON.
  template <class Options>
  void add(const std::string& name,
           std::unique_ptr<Strategy> (*maker)(const Options&, const ir::Graph& space,
                                              uint64_t seed)) {
    TORCH_CHECK(!entries_.count(name), "strategy '", name, "' is in the table already");
    entries_[name] = {
        Json(Options{}), [name, maker](const Json& options, const ir::Graph& space, uint64_t seed) {
          return maker(options_from_json<Options>(options, "strategy '" + name + "'"), space, seed);
        }};
  }

  /// A strategy that proposes architectures of `space`. Throws, naming the nearest, on an unknown
  /// name or option.
  std::unique_ptr<Strategy> make(const std::string& name, const Json& options,
                                 const ir::Graph& space, uint64_t seed) const;

  /// The options of a strategy with their defaults.
  const Json& defaults(const std::string& name) const;

  std::vector<std::string> names() const;

 private:
  struct Entry {
    Json defaults;
    std::function<std::unique_ptr<Strategy>(const Json&, const ir::Graph&, uint64_t)> make;
  };
  const Entry& entry(const std::string& name) const;

  std::map<std::string, Entry> entries_;
};

/// grid, random.
StrategyTable standard_strategies();

}  // namespace retia
