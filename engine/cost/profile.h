#pragma once

#include <functional>
#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// One use of a primitive in a model, as each_primitive visits it.
struct PrimitiveUse {
  const std::string& name;           ///< of its node
  const Operation& operation;        ///< its kind and decided parameters
  const std::vector<Shape>& inputs;  ///< shapes that it reads
  const Shape& output;               ///< shape that it makes
};

/// Calls `visit` for every primitive of a frozen graph, in order. Throws while a choice is left.
void each_primitive(const Graph& model, const std::function<void(const PrimitiveUse&)>& visit);

/// The cost of one primitive of a model, for one sample.
struct NodeCost {
  std::string name;  ///< name of its node; `/` separates scopes
  std::string type;  ///< kind of the operation, e.g. "conv2d"
  Shape output;      ///< shape of its output, without the batch dimension
  Cost cost;         ///< multiply-adds and parameters
};

/// Returns the costs of all primitives of a frozen graph, in order. Throws while a choice is left.
std::vector<NodeCost> profile(const Graph& model);

/// The cost of one application of a primitive without choices, for one sample.
using OperationCost =
    std::function<double(const Operation& operation, const std::vector<Shape>& inputs)>;

/// Returns the sum of the costs of all primitives of a frozen graph. Throws while a choice is left.
Cost total_cost(const Graph& model);
/// Returns the sum of `cost` over all primitives of a frozen graph. Throws while a choice is left.
double total_cost(const Graph& model, const OperationCost& cost);

}  // namespace retia::ir
