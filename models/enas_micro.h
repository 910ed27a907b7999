#pragma once

#include "models/spaces.h"

namespace retia {

struct EnasMicroOptions {
  int64_t channels = 20;  ///< of the first cell, at least 2; each reduction cell doubles them
  int64_t layers = 8;     ///< cells; those at 1/3 and 2/3 of them reduce
  int64_t nodes = 5;      ///< of a cell (the paper's B, less the two inputs)
  bool affine = true;     ///< whether normalisations have trained parameters
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasMicroOptions, channels, layers, nodes, affine)

/// The micro space of ENAS (Pham et al., ICML 2018) for images: a stem and cells that share one
/// architecture, or two: `normal` and `reduce`. States 0 and 1 of a cell are what the two cells
/// before it made, in a reduction cell halved; node `j` is the sum of two operations on two earlier
/// states. Operand `k` of node `j` reads the state that the input choice `normal/j/input<k>`
/// decides, through the layer choice `normal/j/op<k>` of two separable convolutions, two poolings
/// and the identity: (5^B (B + 1)!)^2 architectures a cell of B nodes. Its output is all nodes
/// joined, whether read or not (the paper: those not read), so that every architecture has the
/// supernet's shapes. Output `logits`. task.input: {channels, height, width}.
ir::Graph enas_micro(const EnasMicroOptions& options, const Task& task);

}  // namespace retia
