#pragma once

#include "engine/ir/graph.h"

namespace retia {
class OperationTable;
}

namespace retia::ir {

/// The graph as JSON, `"format": "retia.graph", "version": 1`.
Json to_json(const Graph& graph);

/// The graph that `json` describes; equal to the one it was written from. Throws one line on
/// another format or version, unknown operations (naming the nearest), and anything malformed.
Graph graph_from_json(const Json& json, const OperationTable& operations);

}  // namespace retia::ir
