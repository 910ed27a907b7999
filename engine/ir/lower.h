#pragma once

#include "engine/ir/graph.h"

namespace retia::ir {

/// `graph` with every composite operation written out in primitives: in place, named
/// `<node>/<part>`; as a candidate of a layer choice, as a cell. Nested graphs that are no
/// candidates are written out in place as well. Throws where a composite has other parts for some
/// options of its choices.
Graph lower(const Graph& graph);

/// Adds the nodes of `part`, named `<prefix>/<node>`, to `target`, its inputs being `inputs`.
/// Returns what its one output makes.
Wire splice(Graph& target, const Graph& part, const std::string& prefix,
            const std::vector<Wire>& inputs);

}  // namespace retia::ir
