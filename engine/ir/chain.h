#pragma once

#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns a nested graph that applies `operations` one after the other, as `layer0`, `layer1`, ….
/// A graph mutator can put it in place of a placeholder without knowing the shapes around it.
Cell chain(const std::string& name, const std::vector<Operation>& operations);

}  // namespace retia::ir
