#pragma once

#include "models/spaces.h"

namespace retia {

struct DartsCnnOptions {
  int64_t channels = 16;  ///< of the first cell; each reduction cell doubles them
  int64_t layers = 8;     ///< cells; those at 1/3 and 2/3 of them reduce
  int64_t nodes = 4;      ///< intermediate nodes of a cell
  /// K of PC-DARTS (Xu et al., ICLR 2020): an edge's choice is made for 1/K of the channels, the
  /// others pass (pooled where the edge reduces), and the channels are shuffled; 1: for all.
  int64_t partial_channels = 1;
  /// Probability, at the beginning, that an identity drops a number (see ops::fading_dropout): the
  /// dropout of P-DARTS (Chen et al., ICCV 2019); 0 to 1 (exclusive).
  double skip_dropout = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DartsCnnOptions, channels, layers, nodes,
                                                partial_channels, skip_dropout)

struct DartsBaseOptions {
  int64_t channels = 16;  ///< of the first cell; each reduction cell doubles them
  int64_t layers = 8;     ///< cells; those at 1/3 and 2/3 of them reduce
  int64_t nodes = 4;      ///< intermediate nodes of a cell
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DartsBaseOptions, channels, layers, nodes)

struct DartsCnnEvaluationOptions {
  int64_t channels = 36;   ///< of the first cell; each reduction cell doubles them
  int64_t layers = 20;     ///< cells; those at 1/3 and 2/3 of them reduce
  int64_t nodes = 4;       ///< intermediate nodes of a cell: as many as in the search
  bool auxiliary = true;   ///< whether a second classifier reads the second reduction cell
  double drop_path = 0.2;  ///< probability at the end of training that a path is dropped, below 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DartsCnnEvaluationOptions, channels, layers, nodes,
                                                auxiliary, drop_path)

/// The search network of DARTS (Liu et al. 2019) for images: a stem and cells that share one
/// architecture, or two: `normal` and `reduce`. State 0 and 1 of a cell are its inputs, each
/// intermediate node the sum of edges from earlier states, its output the nodes joined. Edge `i-j`
/// is a layer choice of eight operations labelled `normal/i-j`; node `j` an input choice labelled
/// `normal/j` of two of its edges. Output `logits`. task.input: {channels, height, width}.
ir::Graph darts_cnn(const DartsCnnOptions& options, const Task& task);

/// What an architecture of darts_cnn is trained in: the same labels; normalisations with affine
/// parameters, none after a pooling, paths dropped after every operation but the identity, and an
/// output `auxiliary` beside `logits`.
ir::Graph darts_cnn_evaluation(const DartsCnnEvaluationOptions& options, const Task& task);

/// The same network with placeholders for the intermediate nodes: node `j` reads the states before
/// it, is labelled `normal/j` or `reduce/j` and has as parameter `strides` one number per state.
ir::Graph darts_base(const DartsBaseOptions& options, const Task& task);

}  // namespace retia
