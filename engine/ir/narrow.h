#pragma once

#include <map>
#include <set>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Label of a layer choice → names of the candidates to keep.
using Kept = std::map<std::string, std::set<std::string>>;

/// Returns `space` with only the kept candidates of each layer choice; labels that are not in
/// `kept` keep all. Throws, naming the choice, where none would be left.
Graph narrowed(const Graph& space, const Kept& kept);

}  // namespace retia::ir
