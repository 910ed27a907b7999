#pragma once

#include <vector>

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of mlp.
struct MlpOptions {
  int64_t layers = 2;  ///< number of hidden layers
  /// Widths among which each hidden layer chooses.
  std::vector<int64_t> widths = {16, 32, 64, 128};
};
inline std::vector<Option> declared(MlpOptions& o) {
  return {
      option("layers", o.layers, Range{1, 1e6}, "hidden layers"),
      option("widths", o.widths, Range{1, 1e6}, "widths among which each hidden layer chooses"),
  };
}

/// Returns a space of multi-layer perceptrons, for tables (images are flattened). Hidden layer `i`
/// is linear with a width that the value choice `width<i>` decides, followed by `activation<i>`, a
/// layer choice of relu, tanh and silu. In a supernet widths share weights: a narrower layer uses
/// the first units of the widest. Output `logits`, which is the prediction for a regression.
/// `task.input`: any sizes.
ir::Graph mlp(const MlpOptions& options, const Task& task);

}  // namespace retia
