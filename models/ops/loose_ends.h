#pragma once

#include <vector>

#include "engine/ir/operation.h"

namespace retia {

struct LooseEndsOptions {
  std::vector<ir::Parameter<bool>> loose = {};  ///< of each input, whether it is an end; one is
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LooseEndsOptions, loose)

namespace ops {
/// Shapes that agree but for the first dimension -> those that are ends, joined along it. For
/// models: which are is decided by the architecture, and so is the size.
ir::Operation loose_ends(const LooseEndsOptions& options);
}  // namespace ops

}  // namespace retia
