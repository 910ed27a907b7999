#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The stride of zeros that replace a strided layer.
struct ZeroOptions {
  Dim stride = 1;  ///< in both directions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ZeroOptions, stride)

/// The parts of the channels to take.
struct SplitOptions {
  Dim index = 0;  ///< first part to take
  Dim of = 2;     ///< number of equal parts
  Dim count = 1;  ///< number of parts to take
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SplitOptions, index, of, count)

/// The groups of a channel shuffle.
struct ShuffleOptions {
  Dim groups = 2;  ///< number of groups; a divisor of the channels
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ShuffleOptions, groups)

namespace ops {
/// Makes an identity: any shape → the same value.
ir::Operation identity();
/// Makes zeros, [C, H, W] → [C, ceil(H / stride), ceil(W / stride)]; means "no connection".
ir::Operation zero(const ZeroOptions& options = {});
/// Makes a slice of the channels, [C, ...] → [count * C / of, ...]: `count` of `of` equal parts,
/// from part `index` on.
ir::Operation split(const SplitOptions& options = {});
/// Makes a channel shuffle (ShuffleNet, Zhang et al. 2018), [C, ...] → the same: channel g * (C /
/// groups) + i moves to i * groups + g.
ir::Operation shuffle(const ShuffleOptions& options = {});
/// Makes a shift by one pixel: [C, H, W] without its first row and column. Odd sizes are padded
/// with zeros at the end, so that strided reads of the result and of the input give equal sizes.
ir::Operation shift();
/// Makes a flat vector: [a, b, ...] → [a * b * ...].
ir::Operation flatten();
}  // namespace ops

}  // namespace retia
