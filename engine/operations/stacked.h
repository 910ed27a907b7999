#pragma once

#include <optional>

#include "retia/engine/ir/operation.h"

namespace retia {

/// Returns the operation that runs `n` equal operations, each with its own weights and its own
/// input, as one; none where there is no such operation. Inputs and outputs are concatenated along
/// the channels, parameters and buffers along the first dimension. `inputs`: decided shapes of the
/// inputs of `one`.
/// conv2d → conv2d with n times the groups; linear → grouped_linear; batch_norm, activations, pools
/// and sums → themselves.
std::optional<ir::Operation> stacked(const ir::Operation& one, const std::vector<Shape>& inputs,
                                     int64_t n);

/// Returns the operation that runs `n` equal operations, each with its own weights, on the same
/// input as one; none where there is no such operation. Outputs, parameters and buffers are
/// concatenated as in stacked. conv2d without groups and linear → themselves, n times as wide.
std::optional<ir::Operation> widened(const ir::Operation& one, const std::vector<Shape>& inputs,
                                     int64_t n);

}  // namespace retia
