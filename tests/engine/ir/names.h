#pragma once

#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia {

/// Names of a graph's nodes, in order.
inline std::vector<std::string> names(const ir::Graph& graph) {
  std::vector<std::string> all;
  for (const ir::Node& node : graph.nodes()) {
    all.push_back(node.name);
  }
  return all;
}

/// Labels of mutables, in order.
inline std::vector<std::string> labels(const std::vector<Mutable>& mutables) {
  std::vector<std::string> all;
  for (const Mutable& choice : mutables) {
    all.push_back(choice.label);
  }
  return all;
}

}  // namespace retia
