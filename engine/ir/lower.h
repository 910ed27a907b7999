#pragma once

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns `graph` with every composite operation expanded into primitives: in place, named
/// `<node>/<part>`; where it is a candidate of a layer choice, as a cell. Nested graphs that are
/// not candidates are expanded in place too. Throws where the options of a composite's value
/// choices would give different parts.
Graph lower(const Graph& graph);

/// Adds the nodes of `part` to `target`, named `<prefix>/<node>`, with `inputs` for its inputs.
/// Returns the wire of its only output.
Wire splice(Graph& target, const Graph& part, const std::string& prefix,
            const std::vector<Wire>& inputs);

}  // namespace retia::ir
