#pragma once

#include <vector>

#include "retia/engine/executor/passes/mixed_ops_instruction.h"

namespace retia::executor {

/// Lets fused instructions add their edges to the sums that are the only ones to read them, so that
/// nodes need no additions of their own. `all`: instructions of `program`.
void sum_edges(Program& program, const std::vector<MixedOpsPtr>& all);

}  // namespace retia::executor
