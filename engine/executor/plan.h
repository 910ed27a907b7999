#pragma once

#include <string>

#include "retia/engine/ir/graph.h"

namespace retia {

/// Returns a text that describes how the fused executor runs a supernet: which operations run as
/// one, which run separately and why, with the MACs and the bytes moved in a forward pass of one
/// sample in float32, and the totals of both compared with running layer by layer.
///
/// Bytes count each tensor that an operation reads or writes once; weights and data that stay in
/// the processor's caches are not counted. A backward pass takes about twice as much of both.
std::string plan_of(const ir::Graph& supernet);

}  // namespace retia
