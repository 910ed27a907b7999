#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct ZerosOptions {
  Shape shape;  ///< of the result, without the batch
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ZerosOptions, shape)

namespace ops {
/// Equal shapes -> the same: the sum.
ir::Operation add();
/// Equal shapes -> the same: the mean over the inputs.
ir::Operation mean();
/// Shapes that agree but for the first dimension -> joined along it.
ir::Operation concat();
/// Any input -> zeros, as many samples as it has: what an input choice makes of nothing chosen.
ir::Operation zeros(const ZerosOptions& options);
}  // namespace ops

}  // namespace retia
