#pragma once

#include <vector>

#include "retia/engine/operations/operation.h"

namespace retia {

/// The options of ops::loose_ends.
struct LooseEndsOptions {
  /// One flag per input: true for a loose end, which no other node reads; at least one is true.
  std::vector<ir::Parameter<bool>> loose = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LooseEndsOptions, loose)

namespace ops {
/// Makes the concatenation, along the first dimension, of the inputs that are loose ends; all other
/// sizes agree. For multi-trial search only: the architecture decides which inputs these are, and
/// so the output's size.
ir::Operation loose_ends(const LooseEndsOptions& options);
}  // namespace ops

}  // namespace retia
