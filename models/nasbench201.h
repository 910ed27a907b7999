#pragma once

#include <string>

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of nasbench201.
struct NasBench201Options {
  int64_t channels = 16;  ///< channels of the first stage; doubled by each residual block
  int64_t cells = 5;      ///< cells of each of the three stages (N in the paper)
  /// Trains a scale and shift in the cells' batch normalisations; false for one-shot search.
  bool affine = true;
};
inline std::vector<Option> declared(NasBench201Options& o) {
  return {
      option("channels", o.channels, Range{1, 1e6},
             "channels of the first stage; each residual block doubles them"),
      option("cells", o.cells, Range{1, 1e6}, "cells of each of the three stages"),
      option("affine", o.affine,
             "scale and shift in the cells' batch normalisations; false for one-shot search"),
  };
}

/// Returns the space of NAS-Bench-201 (Dong & Yang, ICLR 2020) for images: a stem, three stages of
/// cells with a residual block of stride 2 before the second and the third, and a head. All cells
/// share one architecture of four nodes: node `j` is the sum of one edge from each earlier node
/// `i`; edge `i-j`, labelled `cell/i-j`, is a layer choice of none, skip_connect, nor_conv_1x1,
/// nor_conv_3x3 (relu, convolution, batch normalisation) and avg_pool_3x3: 5^6 = 15,625
/// architectures. Output `logits`. `task.input`: {channels, height, width}, with sizes divisible by
/// 4.
ir::Graph nasbench201(const NasBench201Options& options, const Task& task);

/// Returns the benchmark's name of an architecture of `nasbench201`:
/// `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, with one group for each of the nodes 1, 2 and 3, where
/// `op~i` is the operation on the edge from node `i`.
std::string nasbench201_key(const Architecture& architecture);

}  // namespace retia
