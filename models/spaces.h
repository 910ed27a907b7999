#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "retia/engine/io/factory_table.h"
#include "retia/engine/space/space.h"

namespace retia {

/// The sizes that the data require of a model.
struct Task {
  std::vector<int64_t> input;  ///< sizes of one sample, e.g. {channels, height, width}
  int64_t n_outputs = 1;       ///< number of classes; 1: regression
};

/// A table name → model space. A space has a search network and may have a separate evaluation
/// network, in which a found architecture is trained; both have the same labels, but options of
/// their own.
class SpaceTable {
 public:
  /// A function that makes a space: `Made` is ir::Graph, with choices in it, or ir::Space, with
  /// graph mutators.
  template <class Made, class Options>
  using Build = Made (*)(const Options&, const Task&);

  /// Adds a space whose search network is also its evaluation network.
  template <class Made, class Options>
  void add(const std::string& name, Build<Made, Options> build_search) {
    add(name, build_search, build_search);
  }

  /// Adds a space with a separate evaluation network.
  template <class Made, class Options, class EvaluationOptions>
  void add(const std::string& name, Build<Made, Options> build_search,
           Build<Made, EvaluationOptions> build_evaluation) {
    search_.add<Options>(name, Maker<Options>(build_search));
    evaluation_.add<EvaluationOptions>(name, Maker<EvaluationOptions>(build_evaluation));
  }

  /// Returns the search network. Throws, naming the nearest known one, on an unknown space or
  /// option.
  ir::Space search(const std::string& name, const Json& options, const Task& task) const {
    return search_.make(name, options, task);
  }

  /// Returns the evaluation network, which is to be frozen and trained; the search network where
  /// there is no other.
  ir::Space evaluation(const std::string& name, const Json& options, const Task& task) const {
    return evaluation_.make(name, options, task);
  }

  /// Throws, naming the option, where an option of the search network is unknown, of another type
  /// or out of range.
  void check_search(const std::string& name, const Json& options) const {
    search_.check(name, options);
  }
  /// Checks options of the evaluation network in the same way.
  void check_evaluation(const std::string& name, const Json& options) const {
    evaluation_.check(name, options);
  }

  /// Returns all options of the search network with their defaults.
  const Json& search_options(const std::string& name) const { return search_.defaults(name); }
  /// Returns all options of the evaluation network with their defaults.
  const Json& evaluation_options(const std::string& name) const {
    return evaluation_.defaults(name);
  }

  /// Returns the options of the search network as its struct declares or lists them, for help.
  const std::vector<Option>& described(const std::string& name) const {
    return search_.options(name);
  }
  /// Returns the options of the evaluation network in the same form.
  const std::vector<Option>& evaluation_described(const std::string& name) const {
    return evaluation_.options(name);
  }

  /// Returns all names in alphabetical order.
  std::vector<std::string> names() const { return search_.names(); }

  /// Returns the name of an architecture in a table of scores, e.g. of a benchmark.
  using Key = std::function<std::string(const Architecture&)>;

  /// Sets the function that names canonical architectures of the space `name`.
  void add_key(const std::string& name, Key key) { keys_[name] = std::move(key); }

  /// Returns the function that names architectures; null where the space has none.
  Key key(const std::string& name) const {
    const auto found = keys_.find(name);
    return found == keys_.end() ? nullptr : found->second;
  }

 private:
  template <class Options>
  using Maker = std::function<ir::Space(const Options&, const Task&)>;

  std::map<std::string, Key> keys_;
  FactoryTable<ir::Space, const Task&> search_{"space"}, evaluation_{"space"};
};

/// Returns a table of the built-in spaces.
SpaceTable standard_spaces();

}  // namespace retia
