#pragma once

#include <string>

#include "engine/ir/graph.h"

namespace retia {

/// What the fused executor makes of a supernet, line by line: which operations run as one, which as
/// they are and why, with multiply-adds and bytes moved of a forward pass of one sample in float32,
/// and the sums of both beside those of running layer by layer.
///
/// Bytes count each tensor that an operation reads or writes once; weights and what stays in a
/// processor's caches are left out. A pass back takes about twice as much of both.
std::string plan_of(const ir::Graph& supernet);

}  // namespace retia
