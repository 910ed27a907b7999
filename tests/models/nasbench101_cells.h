#pragma once

#include <c10/util/StringUtil.h>

#include <string>
#include <vector>

#include "retia/engine/symbolic/architecture.h"

namespace retia {

/// The architecture that has `edges`, written as "01 12", and operation `ops[i - 1]` at vertex i.
inline Architecture nasbench101_architecture(const std::string& edges,
                                             const std::vector<int64_t>& ops,
                                             int64_t n_vertices = 7) {
  Architecture architecture;
  for (int64_t j = 1; j < n_vertices; ++j) {
    if (j < n_vertices - 1) {
      architecture[c10::str("cell/op", j)].chosen = {ops.at(static_cast<size_t>(j - 1))};
    }
    for (int64_t i = 0; i < j; ++i) {
      const bool there = edges.find(c10::str(i, j)) != std::string::npos;
      architecture[c10::str("cell/", i, "-", j)].chosen = {there ? 1 : 0};
    }
  }
  return architecture;
}

}  // namespace retia
