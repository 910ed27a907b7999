#pragma once

#include <map>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

/// The shape of what `node` makes of inputs of the given shapes. Throws one line that names the
/// node and the shapes when they do not suit. Where candidates differ in a size, the size is a
/// choice.
Shape infer(const Node& node, const std::vector<Shape>& inputs);

/// The shape of each node of `graph`. `inputs` replaces the shapes of its inputs (of a nested
/// graph).
std::map<NodeId, Shape> infer(const Graph& graph);
std::map<NodeId, Shape> infer(const Graph& graph, const std::vector<Shape>& inputs);

/// The shapes that `node` reads, looked up in `shapes`.
std::vector<Shape> input_shapes(const Node& node, const std::map<NodeId, Shape>& shapes);

/// What `body` makes of `inputs`; a nested graph must have one output.
Shape infer(const Body& body, const std::vector<Shape>& inputs);

}  // namespace retia::ir
