#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/ir/graph.h"

namespace retia {

/// Label of a layer choice of `space` -> its candidate that hands on what it reads.
std::map<std::string, int64_t> skip_candidates(const ir::Graph& space);

/// The layer choices for which `architecture`, of `space`, keeps that candidate, by cell. A cell
/// are the labels that are equal up to their last `/`. Only normal cells: none with "reduce" in it.
std::map<std::string, std::vector<std::string>> kept_skips(const ir::Graph& space,
                                                           const Architecture& architecture);

}  // namespace retia
