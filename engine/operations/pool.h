#pragma once

#include "retia/engine/operations/operation.h"

namespace retia {

/// The sizes of a pool.
struct PoolOptions {
  Dim kernel = 3;    ///< height and width
  Dim stride = 1;    ///< in both directions
  Dim padding = -1;  ///< on each side; -1: half of the kernel
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PoolOptions, kernel, stride, padding)

namespace ops {
/// Makes a maximum pool, [C, H, W] → [C, H', W'].
ir::Operation max_pool2d(const PoolOptions& options = {});
/// Makes an average pool, [C, H, W] → [C, H', W']; padding is not counted.
ir::Operation avg_pool2d(const PoolOptions& options = {});
/// Makes the mean over height and width, [C, H, W] → [C].
ir::Operation global_mean();
}  // namespace ops

}  // namespace retia
