#pragma once

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// Lets all splits of one value that do not overlap run as one instruction: cut at once, the parts
/// make one gradient of the value, where parts taken one by one make one of the whole size each.
Program share_splits(Program program);

}  // namespace retia::executor
