#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The sizes of a grouped linear map.
struct GroupedLinearOptions {
  Dim out = 1;                      ///< output features of all groups together
  Dim groups = 1;                   ///< number of groups of input and output features
  ir::Parameter<bool> bias = true;  ///< whether a trained number is added to each output
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(GroupedLinearOptions, out, groups, bias)

namespace ops {
/// Makes a grouped linear map, [F] → [out]: output group g is linear in input group g; all groups
/// run as one batched matrix product. Initial weights are drawn as PyTorch does: uniform within
/// ±1/sqrt(F / groups).
ir::Operation grouped_linear(const GroupedLinearOptions& options);
}  // namespace ops

}  // namespace retia
