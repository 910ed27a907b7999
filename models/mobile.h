#pragma once

#include <vector>

#include "retia/engine/io/option.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of mobile.
struct MobileOptions {
  double width = 1;  ///< factor of all channels, which are rounded to multiples of 8
  std::vector<int64_t> blocks = {4, 4, 4, 4, 4, 1};  ///< largest number of blocks of each stage
  std::vector<int64_t> channels = {32, 40, 80, 96, 192, 320};  ///< channels of each stage
  std::vector<int64_t> strides = {2, 2, 2, 1, 2, 1};  ///< stride of each stage's first block
  int64_t stem_channels = 32;
  int64_t stem_stride = 2;       ///< 1 for small images
  int64_t first_channels = 16;   ///< channels of the block before the stages, which has no choice
  int64_t last_channels = 1280;  ///< channels before the head; no width below 1 reduces these
  bool elastic = false;          ///< makes kernels, expansions and widths value choices
  /// Factors of the channels among which each stage of an elastic space chooses.
  std::vector<double> widths = {1};
};
inline std::vector<Option> declared(MobileOptions& o) {
  return {
      option("width", o.width, Range::above(0),
             "factor of all channels, which are rounded to multiples of 8"),
      option("blocks", o.blocks, Range{1, 1e6}, "most blocks of each stage"),
      option("channels", o.channels, Range{1, 1e6}, "channels of each stage"),
      option("strides", o.strides, Range{1, 1e6}, "strides of each stage's first block"),
      option("stem_channels", o.stem_channels, Range{1, 1e6}, "channels of the stem"),
      option("stem_stride", o.stem_stride, Range{1, 1e6}, "stride of the stem; 1 for small images"),
      option("first_channels", o.first_channels, Range{1, 1e6},
             "channels of the block before the stages"),
      option("last_channels", o.last_channels, Range{1, 1e6}, "channels before the head"),
      option("elastic", o.elastic, "kernels, expansions and widths are value choices"),
      option("widths", o.widths, Range::above(0),
             "elastic: factors of the channels among which each stage chooses"),
  };
}

/// Returns the space of ProxylessNAS (Cai, Zhu & Han, ICLR 2019), after MnasNet (Tan et al. 2019):
/// a stem, an inverted residual without expansion, stages of choice blocks, a pointwise convolution
/// and a head, with relu6. Block `i`, counted over all stages and labelled `block<i>`, is an
/// inverted residual of kernel 3, 5 or 7 and expansion 3 or 6, named `k3_e3` … `k7_e6`, or, where
/// input and output have equal shapes, `skip`; so depths vary too. The default is 6^6 * 7^15
/// architectures, with the widths of the paper's network for phones.
///
/// An elastic space also shares weights between the options of a block, as once-for-all networks do
/// (Cai et al., ICLR 2020): block `i` is one inverted residual, decided by the value choices
/// `block<i>/kernel` and `block<i>/expansion`; where the shapes are equal, the layer choice
/// `block<i>` chooses between this residual, named `block`, and `skip`. With several widths,
/// `stage<i>/width` decides the channels of a stage.
///
/// Output `logits`. `task.input`: {channels, height, width}; {3, 224, 224} in the paper.
ir::Graph mobile(const MobileOptions& options, const Task& task);

}  // namespace retia
