#pragma once

#include <optional>

#include "engine/ir/operation.h"

namespace retia {

/// The operation that does the work of `n` equal ones, which have weights of their own, at once:
/// what it makes are their results, one after the other along the channels, and its parameters and
/// buffers are theirs, one after the other along the first dimension. inputs: shapes of what one
/// reads, nothing undecided. None: there is no such operation, and each runs by itself.
///
/// stacked: each reads inputs of its own, which are joined along the channels as well.
///   conv2d -> conv2d of n times the groups; linear -> grouped_linear, a batched matrix product;
///   batch_norm, activations, pools and sums -> themselves.
std::optional<ir::Operation> stacked(const ir::Operation& one, const std::vector<Shape>& inputs,
                                     int64_t n);

/// widened: all read the same input.
///   conv2d without groups, linear -> themselves, n times as wide.
std::optional<ir::Operation> widened(const ir::Operation& one, const std::vector<Shape>& inputs,
                                     int64_t n);

}  // namespace retia
