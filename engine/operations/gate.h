#pragma once

#include "retia/engine/ir/operation.h"

namespace retia::ops {

/// Makes a sigmoid, 1 / (1 + exp(-x)): any shape → the same.
ir::Operation sigmoid();
/// Makes a product of each channel with its own number: [C, ...] and [C] → [C, ...].
ir::Operation scale();

}  // namespace retia::ops
