#pragma once

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of enas_macro.
struct EnasMacroOptions {
  int64_t channels = 16;  ///< channels of every layer, at least 2
  int64_t layers = 12;    ///< the image is halved before the layers at 1/3 and 2/3 of the depth
};
inline std::vector<Option> declared(EnasMacroOptions& o) {
  return {
      option("channels", o.channels, Range{2, 1e6}, "channels of every layer"),
      option("layers", o.layers, Range{1, 1e6},
             "layers; the image is halved before those at 1/3 and 2/3 of the depth"),
  };
}

/// Returns the macro space of ENAS (Pham et al., ICML 2018): a chain of layers with optional skip
/// connections. Layer i applies one of six operations (label `layer<i>/op`) to the layer before it,
/// adds any number of the earlier outputs, the stem's included (label `layer<i>/skip`, from layer 1
/// on), and normalises the sum. Output `logits`. `task.input`: {channels, height, width}.
ir::Graph enas_macro(const EnasMacroOptions& options, const Task& task);

}  // namespace retia
