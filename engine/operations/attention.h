#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The sizes of multi-head self-attention.
struct AttentionOptions {
  Dim out = 0;  ///< output channels; 0: as many as the input has
  /// The width of queries, keys and values, all heads together; 0: as many as the input's channels.
  Dim width = 0;
  Dim heads = 4;                    ///< a divisor of `width`
  ir::Parameter<bool> bias = true;  ///< whether all linear maps have a bias
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AttentionOptions, out, width, heads, bias)

namespace ops {
/// Makes multi-head self-attention (Vaswani et al. 2017) between all positions of a sample: [C,
/// ...] → [out, ...], with at least one position dimension. Queries Q, keys K and values V are
/// linear in the channels and `width` wide; head i computes softmax(Q_i K_i^T / sqrt(width /
/// heads)) V_i, and the result is linear in the concatenated heads. Initial weights are uniform
/// within ±1/sqrt(fan in).
///
/// In a supernet an option of fewer channels uses the first channels, and the first of Q, K and V.
/// Where several widths or numbers of heads are blended, the outputs of the heads are blended,
/// before the last linear map.
ir::Operation attention(const AttentionOptions& options = {});
}  // namespace ops

}  // namespace retia
