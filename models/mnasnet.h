#pragma once

#include <string>
#include <vector>

#include "retia/engine/io/option.h"
#include "retia/engine/space/space.h"
#include "retia/models/spaces.h"

namespace retia {

/// The options of mnasnet.
struct MnasnetOptions {
  std::vector<int64_t> channels = {16, 24, 40, 80, 96, 192, 320};  ///< channels of each block
  /// Factors of the channels; the products are rounded to multiples of 8.
  std::vector<double> widths = {0.75, 1, 1.25};
  /// Layers of each block; one more or one less may be chosen.
  std::vector<int64_t> layers = {1, 3, 3, 3, 2, 4, 1};
  std::vector<int64_t> strides = {1, 2, 2, 2, 1, 2, 1};  ///< stride of each block's first layer
  std::vector<int64_t> kernels = {3, 5};
  std::vector<int64_t> expansions = {3, 6};
  std::vector<double> se_ratios = {0, 0.25};
  int64_t stem_channels = 32;
  int64_t stem_stride = 2;  ///< 1 for small images
  int64_t last_channels = 1280;
};
inline std::vector<Option> declared(MnasnetOptions& o) {
  return {
      option("channels", o.channels, Range{1, 1e6}, "channels of each block"),
      option("widths", o.widths, Range::above(0),
             "factors of the channels, among which each block chooses"),
      option("layers", o.layers, Range{1, 1e6},
             "layers of each block; one more or one less may be chosen"),
      option("strides", o.strides, Range{1, 1e6}, "strides of each block's first layer"),
      option("kernels", o.kernels, Range{1, 1e6}, "kernel sizes to choose among"),
      option("expansions", o.expansions, Range{1, 1e6}, "expansions to choose among"),
      option("se_ratios", o.se_ratios, Range{0},
             "squeeze-and-excitation ratios to choose among; 0: none"),
      option("stem_channels", o.stem_channels, Range{1, 1e6}, "channels of the stem"),
      option("stem_stride", o.stem_stride, Range{1, 1e6}, "stride of the stem; 1 for small images"),
      option("last_channels", o.last_channels, Range{1, 1e6}, "channels before the head"),
  };
}

/// Replaces the placeholder that has its name, a block, by equal layers (see ops::mnas_layer), of
/// which the first has the block's stride. Reads the candidates from the placeholder's parameters;
/// decides `operation`, `kernel`, `expansion` (for mb_conv only), `se_ratio`, `skip`, `channels`
/// and `layers`.
class MnasnetBlock final : public GraphMutator {
 public:
  using GraphMutator::GraphMutator;
  void mutate(ir::Graph& graph, Sampler& sampler) const override;
};

/// Returns the base graph of MnasNet: a stem, the placeholders `block0`, `block1`, … and a head.
ir::Graph mnasnet_base(const MnasnetOptions& options, const Task& task);

/// Returns the space of MnasNet (Tan et al., CVPR 2019): mnasnet_base and a MnasnetBlock for each
/// block. The default widths, depths and strides are centred on MnasNet-B1, which is in the space.
/// The paper's pooling skip is left out. Output `logits`. `task.input`: {channels, height, width};
/// {3, 224, 224} in the paper.
ir::Space mnasnet(const MnasnetOptions& options, const Task& task);

}  // namespace retia
