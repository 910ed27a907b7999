#pragma once

#include "models/spaces.h"

namespace retia {

struct EnasMacroOptions {
  int64_t channels = 16;  ///< of every layer, at least 2
  int64_t layers = 12;    ///< sizes are halved before those at 1/3 and 2/3 of them
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasMacroOptions, channels, layers)

/// The macro space of ENAS (Pham et al., ICML 2018): a chain of layers with connections that skip
/// some. Layer i adds to what one of six operations (label `layer<i>/op`) makes of the layer before
/// it any of the outputs before that one, the stem's included (label `layer<i>/skip`, from layer 1
/// on; there may be none), and normalises the sum. Output `logits`. task.input: {channels, height,
/// width}.
ir::Graph enas_macro(const EnasMacroOptions& options, const Task& task);

}  // namespace retia
