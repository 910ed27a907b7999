#pragma once

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// Lets the fused operation `retia::mixed_op` run layer choices that blend the candidates of DARTS.
/// Choices with the same input, stride, and epsilon and momentum of normalisation (siblings) run as
/// one call; where their results are added to a sum, the call adds them. Candidates that the
/// operation does not know run layer by layer and are added to the blend.
Program fuse_mixed_ops(Program program);

}  // namespace retia::executor
