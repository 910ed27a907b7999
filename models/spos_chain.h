#pragma once

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of spos_chain.
struct SposChainOptions {
  int64_t channels = 16;  ///< channels at first, even; doubled at 1/3 and 2/3 of the depth
  int64_t layers = 12;    ///< number of blocks
};
inline std::vector<Option> declared(SposChainOptions& o) {
  return {
      option("channels", o.channels, Range{2, 1e6},
             "channels of the first block, even; doubled at 1/3 and 2/3 of the depth"),
      option("layers", o.layers, Range{1, 1e6}, "blocks"),
  };
}

/// Returns a chain of choice blocks after SPOS (Guo et al. 2020). Each block, labelled `block<i>`,
/// is one of four ShuffleNetV2 units: kernel 3, 5, 7, or three depthwise convolutions. Output
/// `logits`. `task.input`: {channels, height, width}.
ir::Graph spos_chain(const SposChainOptions& options, const Task& task);

}  // namespace retia
