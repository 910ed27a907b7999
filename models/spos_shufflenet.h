#pragma once

#include <vector>

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of spos_shufflenet.
struct SposShuffleNetOptions {
  double width = 1;  ///< factor of all channels but the last, rounded to even numbers
  std::vector<int64_t> blocks = {4, 4, 8, 4};           ///< number of blocks of each stage
  std::vector<int64_t> channels = {64, 160, 320, 640};  ///< channels of each stage, even
  int64_t stem_channels = 16;
  int64_t stem_stride = 2;       ///< 1 for small images
  int64_t last_channels = 1024;  ///< channels of the pointwise convolution before the head
};
inline std::vector<Option> declared(SposShuffleNetOptions& o) {
  return {
      option("width", o.width, Range::above(0),
             "factor of all channels but the last, rounded to even numbers"),
      option("blocks", o.blocks, Range{1, 1e6}, "blocks of each stage"),
      option("channels", o.channels, Range{2, 1e6}, "channels of each stage, even"),
      option("stem_channels", o.stem_channels, Range{1, 1e6}, "channels of the stem"),
      option("stem_stride", o.stem_stride, Range{1, 1e6}, "stride of the stem; 1 for small images"),
      option("last_channels", o.last_channels, Range{1, 1e6},
             "channels of the pointwise convolution before the head"),
  };
}

/// Returns the space of SPOS (Guo et al., ECCV 2020, table 1): a stem, stages of choice blocks
/// whose first block has stride 2, a pointwise convolution and a head. Each block, labelled
/// `block<i>`, is one of four ShuffleNetV2 units: kernel 3, 5, 7, or three depthwise convolutions
/// (`xception`): 4^20 architectures. The side branch of a strided unit has as many channels as its
/// input, but at most half of the unit's. Output `logits`. `task.input`: {channels, height, width};
/// {3, 224, 224} in the paper.
ir::Graph spos_shufflenet(const SposShuffleNetOptions& options, const Task& task);

}  // namespace retia
