#pragma once

#include "retia/engine/operations/operation.h"

namespace retia::ops {

/// Makes max(x, 0): any shape → the same.
ir::Operation relu();
/// Makes min(max(x, 0), 6): any shape → the same.
ir::Operation relu6();
/// Makes a sigmoid, 1 / (1 + exp(-x)): any shape → the same.
ir::Operation sigmoid();
/// Makes a swish, x / (1 + exp(-x)) (Ramachandran et al. 2018): any shape → the same.
ir::Operation silu();
/// Makes a hyperbolic tangent: any shape → the same.
ir::Operation tanh();

}  // namespace retia::ops
