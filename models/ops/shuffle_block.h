#pragma once

#include "retia/engine/ir/builder.h"

namespace retia {

/// The structure of the main branch of a shuffle block.
enum class ShuffleBranch {
  Plain,    ///< pointwise, depthwise, pointwise
  Xception  ///< three times depthwise, pointwise
};

NLOHMANN_JSON_SERIALIZE_ENUM(ShuffleBranch, {{ShuffleBranch::Plain, "plain"},
                                             {ShuffleBranch::Xception, "xception"}})

/// The options of ops::shuffle_block.
struct ShuffleBlockOptions {
  Dim out = 0;     ///< output channels, even; 0: as many as the input has
  Dim kernel = 3;  ///< height and width of the depthwise convolutions, odd
  Dim stride = 1;  ///< 1 or 2; must be decided
  ShuffleBranch branch = ShuffleBranch::Plain;  ///< the main branch
  Dim side = 0;  ///< channels of the side branch at stride 2, fewer than `out`; 0: half
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ShuffleBlockOptions, out, kernel, stride, branch,
                                                side)

/// Writes the branches `main/…` and, for stride 2, `side/…`, then `concat` and `shuffle`.
Wire shuffle_block_parts(Builder& builder, Wire x, const ShuffleBlockOptions& options);

namespace ops {
/// Makes a unit of ShuffleNetV2 (Ma et al. 2018) as used in SPOS (Guo et al. 2020), [C, H, W] →
/// [out, ceil(H / stride), ceil(W / stride)]. At stride 1 half of the channels, an even number,
/// pass unchanged; at stride 2 a side branch makes some of the channels, and the main branch makes
/// the rest.
ir::Operation shuffle_block(const ShuffleBlockOptions& options = {});
}  // namespace ops

}  // namespace retia
