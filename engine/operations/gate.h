#pragma once

#include "retia/engine/operations/operation.h"

namespace retia::ops {

/// Makes a product of each channel with its own number: [C, ...] and [C] → [C, ...].
ir::Operation scale();

}  // namespace retia::ops
