#pragma once

#include <string>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

/// What one primitive of a model costs, for one sample.
struct NodeCost {
  std::string name;
  std::string type;
  Shape output;
  Cost cost;
};

/// Costs of all primitives of a frozen graph, in order. Throws while a choice is left.
std::vector<NodeCost> profile(const Graph& model);

/// Their sum.
Cost total_cost(const Graph& model);

}  // namespace retia::ir
