#pragma once

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of enas_micro.
struct EnasMicroOptions {
  int64_t channels = 20;  ///< channels of the first cell, ≥ 2; doubled by each reduction cell
  int64_t layers = 8;     ///< number of cells; those at 1/3 and 2/3 of the depth reduce
  int64_t nodes = 5;      ///< nodes of a cell (the paper's B without the two inputs)
  bool affine = true;     ///< trains a scale and shift in batch normalisations
};
inline std::vector<Option> declared(EnasMicroOptions& o) {
  return {
      option("channels", o.channels, Range{2, 1e6},
             "channels of the first cell; each reduction cell doubles them"),
      option("layers", o.layers, Range{1, 1e6}, "cells; those at 1/3 and 2/3 of the depth reduce"),
      option("nodes", o.nodes, Range{1, 1e6}, "nodes of a cell"),
      option("affine", o.affine, "scale and shift in batch normalisations"),
  };
}

/// Returns the micro space of ENAS (Pham et al., ICML 2018) for images: a stem and cells that share
/// two architectures, `normal` and `reduce`. States 0 and 1 of a cell are the outputs of the two
/// cells before it, halved in a reduction cell; node `j` is the sum of two operations on two
/// earlier states. Operand `k` of node `j` reads the state chosen by the input choice
/// `normal/j/input<k>`, through the layer choice `normal/j/op<k>` of two separable convolutions,
/// two poolings and the identity: (5^B (B + 1)!)^2 architectures for a cell of B nodes. The cell's
/// output is the concatenation of all nodes (in the paper: of the nodes that no other node reads),
/// so that every architecture has the shapes of the supernet. Output `logits`. `task.input`:
/// {channels, height, width}.
ir::Graph enas_micro(const EnasMicroOptions& options, const Task& task);

}  // namespace retia
