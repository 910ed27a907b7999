#pragma once

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of nasbench101.
struct NasBench101Options {
  int64_t channels = 128;  ///< channels of the first stack; doubled by each further stack
  int64_t cells = 3;       ///< cells of each of the three stacks
  int64_t vertices = 7;    ///< vertices of a cell, including input and output, at least 2
  int64_t max_edges = 9;   ///< most edges of a cell
};
inline std::vector<Option> declared(NasBench101Options& o) {
  return {
      option("channels", o.channels, Range{1, 1e6},
             "channels of the first stack; each further stack doubles them"),
      option("cells", o.cells, Range{1, 1e6}, "cells of each of the three stacks"),
      option("vertices", o.vertices, Range{2, 1e6},
             "vertices of a cell, including input and output"),
      option("max_edges", o.max_edges, Range{1, 1e6}, "most edges of a cell"),
  };
}

/// Returns the space of NAS-Bench-101 (Ying et al., ICML 2019) for images: a stem, three stacks of
/// cells with max pooling of stride 2 between them, and a head. All cells share one architecture
/// (see ops::nasbench101_cell): an operation for each inner vertex (`cell/op1`, …) and, for each
/// pair i < j, whether vertex j reads vertex i (`cell/i-j`). The 2^21 * 3^5 joint decisions make
/// 423,624 different cells of at most 7 vertices and 9 edges. Decisions with more edges, or without
/// a path from input to output, have no valid model. For multi-trial search only. Output `logits`.
/// `task.input`: {channels, height, width}, with sizes divisible by 4.
ir::Graph nasbench101(const NasBench101Options& options, const Task& task);

}  // namespace retia
