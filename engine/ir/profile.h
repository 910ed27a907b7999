#pragma once

#include <string>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

/// The cost of one primitive of a model, for one sample.
struct NodeCost {
  std::string name;
  std::string type;
  Shape output;
  Cost cost;
};

/// Returns the costs of all primitives of a frozen graph, in order. Throws while a choice is left.
std::vector<NodeCost> profile(const Graph& model);

/// Returns the sum of the costs of all primitives of a frozen graph.
Cost total_cost(const Graph& model);

}  // namespace retia::ir
