#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct ZeroOptions {
  Dim stride = 1;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ZeroOptions, stride)

struct SplitOptions {
  Dim index = 0;  ///< the first part to take
  Dim of = 2;     ///< how many equal parts there are
  Dim count = 1;  ///< how many to take
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SplitOptions, index, of, count)

struct ShuffleOptions {
  Dim groups = 2;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ShuffleOptions, groups)

namespace ops {
/// Any shape -> the same value.
ir::Operation identity();
/// Any shape -> the same shape: the larger of value and 0.
ir::Operation relu();
/// Any shape -> the same shape: the value brought between 0 and 6.
ir::Operation relu6();
/// Any shape -> the same shape: x / (1 + exp(-x)) (swish, Ramachandran et al. 2018).
ir::Operation silu();
/// Any shape -> the same shape: the hyperbolic tangent.
ir::Operation tanh();
/// [C, H, W] -> [C, ceil(H / stride), ceil(W / stride)], all zeros: no connection.
ir::Operation zero(const ZeroOptions& options = {});
/// [C, ...] -> [count * C / of, ...]: parts `index` to `index + count - 1` of the channels.
ir::Operation split(const SplitOptions& options = {});
/// [C, ...] -> the same: channel g * (C / groups) + i moves to i * groups + g (ShuffleNet, Zhang et
/// al. 2018).
ir::Operation shuffle(const ShuffleOptions& options = {});
/// [C, H, W] -> the same less the first row and column; odd sizes are padded by zeros at the end,
/// so that every second pixel of the result and of the input are equally many.
ir::Operation shift();
/// [a, b, ...] -> [a * b * ...]
ir::Operation flatten();
}  // namespace ops

}  // namespace retia
