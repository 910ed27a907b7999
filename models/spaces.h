#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/factory_table.h"
#include "engine/ir/space.h"

namespace retia {

/// What the data asks of a model.
struct Task {
  std::vector<int64_t> input;  ///< sizes of one sample, e.g. {channels, height, width}
  int64_t n_outputs = 1;       ///< classes; 1: regression
};

/// Name -> model space. A space has a search network and may have an evaluation network, which has
/// the same labels, is what a found architecture is trained in, and has options of its own.
class SpaceTable {
 public:
  /// Made: ir::Graph, with choices in it, or ir::Space, with graph mutators.
  template <class Made, class Options>
  using Build = Made (*)(const Options&, const Task&);

  /// A space whose search network also is what its architectures are trained in.
  template <class Made, class Options>
  void add(const std::string& name, Build<Made, Options> build_search) {
    add(name, build_search, build_search);
  }

  /// A space with an evaluation network.
  template <class Made, class Options, class EvaluationOptions>
  void add(const std::string& name, Build<Made, Options> build_search,
           Build<Made, EvaluationOptions> build_evaluation) {
    search_.add<Options>(name, Maker<Options>(build_search));
    evaluation_.add<EvaluationOptions>(name, Maker<EvaluationOptions>(build_evaluation));
  }

  /// The search network. Throws, naming the nearest known one, on an unknown space or option.
  ir::Space search(const std::string& name, const Json& options, const Task& task) const {
    return search_.make(name, options, task);
  }

  /// The network to freeze and train; the search network where the space has no other.
  ir::Space evaluation(const std::string& name, const Json& options, const Task& task) const {
    return evaluation_.make(name, options, task);
  }

  /// All options with their defaults.
  const Json& search_options(const std::string& name) const { return search_.defaults(name); }
  const Json& evaluation_options(const std::string& name) const {
    return evaluation_.defaults(name);
  }

  std::vector<std::string> names() const { return search_.names(); }

  /// What the architectures of a space are called in tables of scores, e.g. of a benchmark.
  using Key = std::function<std::string(const Architecture&)>;

  /// Says so for canonical architectures of the space `name`.
  void add_key(const std::string& name, Key key) { keys_[name] = std::move(key); }

  /// Null: the space has no names for them.
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

/// The spaces that come with the program.
SpaceTable standard_spaces();

}  // namespace retia
