#pragma once

#include <string>
#include <vector>

#include "engine/factory_table.h"
#include "engine/ir/graph.h"

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
  template <class Options>
  using Build = ir::Graph (*)(const Options&, const Task&);

  /// A space whose search network also is what its architectures are trained in.
  template <class Options>
  void add(const std::string& name, Build<Options> build_search) {
    add(name, build_search, build_search);
  }

  /// A space with an evaluation network.
  template <class Options, class EvaluationOptions>
  void add(const std::string& name, Build<Options> build_search,
           Build<EvaluationOptions> build_evaluation) {
    search_.add(name, build_search);
    evaluation_.add(name, build_evaluation);
  }

  /// The search network. Throws, naming the nearest known one, on an unknown space or option.
  ir::Graph search(const std::string& name, const Json& options, const Task& task) const {
    return search_.make(name, options, task);
  }

  /// The network to freeze and train; the search network where the space has no other.
  ir::Graph evaluation(const std::string& name, const Json& options, const Task& task) const {
    return evaluation_.make(name, options, task);
  }

  /// All options with their defaults.
  const Json& search_options(const std::string& name) const { return search_.defaults(name); }
  const Json& evaluation_options(const std::string& name) const {
    return evaluation_.defaults(name);
  }

  std::vector<std::string> names() const { return search_.names(); }

 private:
  FactoryTable<ir::Graph, const Task&> search_{"space"}, evaluation_{"space"};
};

/// The spaces that come with the program.
SpaceTable standard_spaces();

}  // namespace retia
