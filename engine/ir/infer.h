#pragma once

#include <map>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns the shape of the output of `node` for inputs of the given shapes. Throws one line that
/// names the node and the shapes where they do not fit. Where candidates differ in a size, the size
/// is a value choice.
Shape infer(const Node& node, const std::vector<Shape>& inputs);

/// Returns the shape of every node of `graph`.
std::map<NodeId, Shape> infer(const Graph& graph);
/// Returns the shape of every node of `graph`. `inputs` replaces the shapes of its inputs, for a
/// nested graph.
std::map<NodeId, Shape> infer(const Graph& graph, const std::vector<Shape>& inputs);

/// Returns the shapes of the inputs of `node`, looked up in `shapes`.
std::vector<Shape> input_shapes(const Node& node, const std::map<NodeId, Shape>& shapes);

/// Returns the shape of the output of `body`. A nested graph must have exactly one output.
Shape infer(const Body& body, const std::vector<Shape>& inputs);

}  // namespace retia::ir
