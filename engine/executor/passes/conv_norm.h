#pragma once

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// Lets the fused operation `retia::conv_norm` run a convolution or a pool, the batch normalisation
/// that follows, and relus before and after; a normalisation alone, too.
Program fuse_conv_norm(Program program);

}  // namespace retia::executor
