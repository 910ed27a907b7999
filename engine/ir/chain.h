#pragma once

#include <string>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

/// A nested graph of one operation after the other, `layer0`, `layer1`, …: what a graph mutator
/// makes of a placeholder without knowing the shapes around it.
Cell chain(const std::string& name, const std::vector<Operation>& operations);

}  // namespace retia::ir
