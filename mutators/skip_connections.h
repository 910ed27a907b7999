#pragma once

#include <map>
#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia {

/// Returns label → index of the skip connection (see OperationKind::is_skip), for the layer choices
/// of `space` that have one.
std::map<std::string, int64_t> skip_candidates(const ir::Graph& space);

/// Returns cell → labels of the layer choices at which `architecture` keeps the skip connection. A
/// cell consists of the labels that are equal up to their last `/`. Reduction cells (labels
/// containing "reduce") are left out.
std::map<std::string, std::vector<std::string>> kept_skips(const ir::Graph& space,
                                                           const Architecture& architecture);

}  // namespace retia
