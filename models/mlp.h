#pragma once

#include <vector>

#include "models/spaces.h"

namespace retia {

struct MlpOptions {
  int64_t layers = 2;                               ///< hidden ones
  std::vector<int64_t> widths = {16, 32, 64, 128};  ///< that each of them chooses from
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MlpOptions, layers, widths)

/// Perceptrons of several layers, for tables (images are flattened). Hidden layer `i` is linear, of
/// a width that the value choice `width<i>` decides, then `activation<i>`, a layer choice of relu,
/// tanh and silu. In a supernet widths share weights: a narrower layer is the first units of the
/// widest. Output `logits`, which for one output is the prediction. task.input: any sizes.
ir::Graph mlp(const MlpOptions& options, const Task& task);

}  // namespace retia
