#pragma once

#include <optional>
#include <string>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns the first difference between two graphs, for users: "node 'body/conv' has parameters
/// kernel_size 3, and had 7"; none where they compute the same. The name of the graph and the ids
/// of nodes, which change no result, may differ; names of nodes, which name weights, may not.
std::optional<std::string> first_difference(const Graph& before, const Graph& now);

/// Returns a digest that is equal for graphs without a difference.
std::string digest(const Graph& graph);

}  // namespace retia::ir
