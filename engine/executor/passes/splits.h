#pragma once

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// Puts one instruction in the place of all splits of a value whose parts do not overlap. Its
/// backward pass makes one gradient of the value's size, instead of one per part.
Program share_splits(Program program);

}  // namespace retia::executor
