#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct GroupedLinearOptions {
  Dim out = 1;     ///< features, of all groups together
  Dim groups = 1;  ///< into which features in and out are divided
  ir::Parameter<bool> bias = true;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(GroupedLinearOptions, out, groups, bias)

namespace ops {
/// [F] -> [out]: group g of the features is a linear map of group g of the input, all by one
/// batched product. Weights are drawn as PyTorch does: uniform within 1/sqrt(F / groups).
ir::Operation grouped_linear(const GroupedLinearOptions& options);
}  // namespace ops

}  // namespace retia
