#pragma once

#include "models/spaces.h"

namespace retia {

struct NasBench101Options {
  int64_t channels = 128;  ///< of the first stack; each further one doubles them
  int64_t cells = 3;       ///< of each of the three stacks
  int64_t vertices = 7;    ///< of a cell, input and output among them, at least 2
  int64_t max_edges = 9;   ///< of a cell
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NasBench101Options, channels, cells, vertices,
                                                max_edges)

/// The space of NAS-Bench-101 (Ying et al., ICML 2019) for images: a stem, three stacks of cells
/// with a pooling of stride 2 between, and a head. All cells share one architecture (see
/// ops::nasbench101_cell): an operation for each vertex between input and output (`cell/op1`, …)
/// and whether vertex j reads vertex i (`cell/i-j`), 2^21 * 3^5 decisions that make 423,624
/// different cells of at most 7 vertices and 9 edges. Those with more edges, or without a path from
/// input to output, make no model. For trials, not for supernets. Output `logits`. task.input:
/// {channels, height, width}, sizes that 4 divides.
ir::Graph nasbench101(const NasBench101Options& options, const Task& task);

}  // namespace retia
