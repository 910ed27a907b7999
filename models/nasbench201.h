#pragma once

#include <string>

#include "models/spaces.h"

namespace retia {

struct NasBench201Options {
  int64_t channels = 16;  ///< of the first stage; each residual block doubles them
  int64_t cells = 5;      ///< of each of the three stages (N in the paper)
  bool affine = true;     ///< whether the cells' normalisations are trained; one-shot searches: not
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NasBench201Options, channels, cells, affine)

/// The space of NAS-Bench-201 (Dong & Yang, ICLR 2020) for images: a stem, three stages of cells
/// with a residual block of stride 2 before the second and the third, and a head. All cells share
/// one architecture of four nodes: node `j` is the sum of an edge from each node `i` before it, and
/// edge `i-j`, labelled `cell/i-j`, is a layer choice of none, skip_connect, nor_conv_1x1,
/// nor_conv_3x3 (rectifier, convolution, normalisation) and avg_pool_3x3: 5^6 = 15,625
/// architectures. Output `logits`. task.input: {channels, height, width}, sizes that 4 divides.
ir::Graph nasbench201(const NasBench201Options& options, const Task& task);

/// The name under which the benchmark lists an architecture of `nasbench201`:
/// `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, a group for each of the nodes 1, 2 and 3, in which `op~i`
/// is the operation on the edge from node `i`.
std::string nasbench201_key(const Architecture& architecture);

}  // namespace retia
