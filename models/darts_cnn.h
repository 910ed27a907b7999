#pragma once

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of darts_cnn.
struct DartsCnnOptions {
  int64_t channels = 16;  ///< channels of the first cell; doubled by each reduction cell
  int64_t layers = 8;     ///< number of cells; those at 1/3 and 2/3 of the depth reduce
  int64_t nodes = 4;      ///< intermediate nodes of a cell
  /// K of PC-DARTS (Xu et al., ICLR 2020): an edge's choice is applied to 1/K of the channels; the
  /// rest bypass it (max-pooled where the edge reduces), and the channels are then shuffled. 1: all
  /// channels.
  int64_t partial_channels = 1;
  /// The dropout on identities of P-DARTS (Chen et al., ICCV 2019): the probability in [0, 1) with
  /// which each number is dropped when the search begins (see ops::fading_dropout).
  double skip_dropout = 0;
};
inline std::vector<Option> declared(DartsCnnOptions& o) {
  return {
      option("channels", o.channels, Range{1, 1e6},
             "channels of the first cell; each reduction cell doubles them"),
      option("layers", o.layers, Range{1, 1e6}, "cells; those at 1/3 and 2/3 of the depth reduce"),
      option("nodes", o.nodes, Range{1, 1e6}, "intermediate nodes of a cell"),
      option("partial_channels", o.partial_channels, Range{1, 1e6},
             "K of PC-DARTS: a choice is applied to 1/K of the channels"),
      option("skip_dropout", o.skip_dropout, Range::from_to_below(0, 1),
             "dropout of identities when the search begins (P-DARTS)"),
  };
}

/// The options of darts_base and darts.
struct DartsBaseOptions {
  int64_t channels = 16;  ///< channels of the first cell; doubled by each reduction cell
  int64_t layers = 8;     ///< number of cells; those at 1/3 and 2/3 of the depth reduce
  int64_t nodes = 4;      ///< intermediate nodes of a cell
};
inline std::vector<Option> declared(DartsBaseOptions& o) {
  return {
      option("channels", o.channels, Range{1, 1e6},
             "channels of the first cell; each reduction cell doubles them"),
      option("layers", o.layers, Range{1, 1e6}, "cells; those at 1/3 and 2/3 of the depth reduce"),
      option("nodes", o.nodes, Range{1, 1e6}, "intermediate nodes of a cell"),
  };
}

/// The options of darts_cnn_evaluation.
struct DartsCnnEvaluationOptions {
  int64_t channels = 36;   ///< channels of the first cell; doubled by each reduction cell
  int64_t layers = 20;     ///< number of cells; those at 1/3 and 2/3 of the depth reduce
  int64_t nodes = 4;       ///< intermediate nodes of a cell: the same number as in the search
  bool auxiliary = true;   ///< adds a second classifier after the second reduction cell
  double drop_path = 0.2;  ///< probability that a path is dropped, at the end of training, below 1
};
inline std::vector<Option> declared(DartsCnnEvaluationOptions& o) {
  return {
      option("channels", o.channels, Range{1, 1e6},
             "channels of the first cell; each reduction cell doubles them"),
      option("layers", o.layers, Range{1, 1e6}, "cells; those at 1/3 and 2/3 of the depth reduce"),
      option("nodes", o.nodes, Range{1, 1e6}, "intermediate nodes of a cell: as in the search"),
      option("auxiliary", o.auxiliary, "a second classifier after the second reduction cell"),
      option("drop_path", o.drop_path, Range::from_to_below(0, 1),
             "probability that a path is dropped, at the end of training"),
  };
}

/// Returns the search network of DARTS (Liu et al. 2019) for images: a stem and cells that share
/// two architectures, `normal` and `reduce`. States 0 and 1 of a cell are its inputs; each
/// intermediate node is the sum of edges from earlier states; the output is the concatenation of
/// the nodes. Edge `i-j` is a layer choice of eight operations, labelled `normal/i-j`; node `j` is
/// an input choice of two of its edges, labelled `normal/j`. Output `logits`. `task.input`:
/// {channels, height, width}.
ir::Graph darts_cnn(const DartsCnnOptions& options, const Task& task);

/// Returns the evaluation network, in which an architecture of darts_cnn is trained. It has the
/// same labels, batch normalisation with affine parameters (none after pooling), drop path after
/// every operation except the identity, and an output `auxiliary` beside `logits`.
ir::Graph darts_cnn_evaluation(const DartsCnnEvaluationOptions& options, const Task& task);

/// Returns the network with placeholders for the intermediate nodes: node `j` reads the earlier
/// states, has the label `normal/j` or `reduce/j`, and a parameter `strides` with one number per
/// state.
ir::Graph darts_base(const DartsBaseOptions& options, const Task& task);

}  // namespace retia
