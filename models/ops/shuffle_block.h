#pragma once

#include "engine/ir/builder.h"

namespace retia {

/// What the main branch of a shuffle block is made of.
enum class ShuffleBranch {
  Plain,    ///< pointwise, depthwise, pointwise
  Xception  ///< three times depthwise, pointwise
};

NLOHMANN_JSON_SERIALIZE_ENUM(ShuffleBranch, {{ShuffleBranch::Plain, "plain"},
                                             {ShuffleBranch::Xception, "xception"}})

struct ShuffleBlockOptions {
  Dim out = 0;                                  ///< channels, even; 0: as many as come in
  Dim kernel = 3;                               ///< of the depthwise convolutions, odd
  Dim stride = 1;                               ///< 1 or 2, decided
  ShuffleBranch branch = ShuffleBranch::Plain;  ///< the main branch
  Dim side = 0;  ///< of stride 2: channels of the side branch, fewer than `out`; 0: half
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ShuffleBlockOptions, out, kernel, stride, branch,
                                                side)

/// Writes the parts: the branches `main/…` and, of stride 2, `side/…`, then `concat` and `shuffle`.
Wire shuffle_block_parts(Builder& builder, Wire x, const ShuffleBlockOptions& options);

namespace ops {
/// [C, H, W] -> [out, ceil(H / stride), ceil(W / stride)]: a unit of ShuffleNetV2 (Ma et al. 2018)
/// as SPOS chooses from (Guo et al. 2020). Of stride 1 half of the channels, an even number, pass
/// unchanged; of stride 2 a side branch makes some of the channels, and the main branch the others.
ir::Operation shuffle_block(const ShuffleBlockOptions& options = {});
}  // namespace ops

}  // namespace retia
