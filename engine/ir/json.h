#pragma once

#include "retia/engine/ir/graph.h"

namespace retia {
class OperationTable;
}

namespace retia::ir {

/// Returns the graph as JSON, `"format": "retia.graph", "version": 1`.
Json to_json(const Graph& graph);

/// Reads a graph written by to_json; the result compares equal to the original. Throws one line on
/// another format or version, on unknown operations (naming the nearest), and on malformed input.
Graph graph_from_json(const Json& json, const OperationTable& operations);

}  // namespace retia::ir
