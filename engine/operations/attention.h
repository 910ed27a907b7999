#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct AttentionOptions {
  Dim out = 0;    ///< channels; 0: as many as come in
  Dim width = 0;  ///< of queries, keys and values over all heads; 0: as many as come in
  Dim heads = 4;  ///< a divisor of `width`
  ir::Parameter<bool> bias = true;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AttentionOptions, out, width, heads, bias)

namespace ops {
/// [C, ...] -> [out, ...]: multi-head self-attention (Vaswani et al. 2017) between all positions of
/// a sample, of which there is at least one dimension. With queries Q, keys K and values V, linear
/// in the channels and `width` wide, head i makes softmax(Q_i K_i^T / sqrt(width / heads)) V_i, and
/// the result is linear in what all heads make. Weights are uniform within 1/sqrt(fan in).
///
/// In a supernet an option has the first channels, and the first of Q, K and V. Where several
/// widths or numbers of heads are blended, it is what their heads make that is, before the last
/// linear map.
ir::Operation attention(const AttentionOptions& options = {});
}  // namespace ops

}  // namespace retia
