#pragma once

#include <string>
#include <vector>

#include "engine/ir/space.h"
#include "models/spaces.h"

namespace retia {

struct MnasnetOptions {
  std::vector<int64_t> channels = {16, 24, 40, 80, 96, 192, 320};  ///< of each block
  std::vector<double> widths = {0.75, 1, 1.25};          ///< factors of them; multiples of 8 result
  std::vector<int64_t> layers = {1, 3, 3, 3, 2, 4, 1};   ///< of each block; or one more, or less
  std::vector<int64_t> strides = {1, 2, 2, 2, 1, 2, 1};  ///< of each block's first layer
  std::vector<int64_t> kernels = {3, 5};
  std::vector<int64_t> expansions = {3, 6};
  std::vector<double> se_ratios = {0, 0.25};
  int64_t stem_channels = 32;
  int64_t stem_stride = 2;  ///< 1 for small images
  int64_t last_channels = 1280;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MnasnetOptions, channels, widths, layers, strides,
                                                kernels, expansions, se_ratios, stem_channels,
                                                stem_stride, last_channels)

/// Turns the placeholder of its name, a block, into layers that are alike (see ops::mnas_layer);
/// the first has the block's stride. Reads the candidates from the placeholder's parameters and
/// decides `operation`, `kernel`, `expansion` (of mb_conv only), `se_ratio`, `skip`, `channels` and
/// `layers`.
class MnasnetBlock final : public GraphMutator {
 public:
  using GraphMutator::GraphMutator;
  void mutate(ir::Graph& graph, Sampler& sampler) const override;
};

/// The stem, the placeholders `block0`, `block1`, … and the head of MnasNet.
ir::Graph mnasnet_base(const MnasnetOptions& options, const Task& task);

/// The space of MnasNet (Tan et al., CVPR 2019): that base and a MnasnetBlock for each block. By
/// default the widths, depths and strides are those around MnasNet-B1, which is in it. The paper's
/// pooling among the skips is left out. Output `logits`. task.input: {channels, height, width}; the
/// paper's {3, 224, 224}.
ir::Space mnasnet(const MnasnetOptions& options, const Task& task);

}  // namespace retia
