#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The size of a linear map.
struct LinearOptions {
  Dim out = 1;                      ///< output features
  ir::Parameter<bool> bias = true;  ///< whether a trained number is added to each output
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LinearOptions, out, bias)

namespace ops {
/// Makes a linear map, [F] → [out]. Initial weights are drawn as PyTorch does: uniform within
/// ±1/sqrt(F).
ir::Operation linear(const LinearOptions& options);
}  // namespace ops

}  // namespace retia
