#pragma once

#include "engine/ir/operation.h"

namespace retia::ops {

/// Any shape -> the same shape: 1 / (1 + exp(-x)).
ir::Operation sigmoid();
/// [C, ...] and [C] -> [C, ...]: each channel times its number.
ir::Operation scale();

}  // namespace retia::ops
