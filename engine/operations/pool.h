#pragma once

#include "engine/ir/operation.h"

namespace retia {

struct PoolOptions {
  Dim kernel = 3;
  Dim stride = 1;
  Dim padding = -1;  ///< of each side; -1: half of the kernel
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PoolOptions, kernel, stride, padding)

namespace ops {
/// [C, H, W] -> [C, H', W'], the largest value under the kernel.
ir::Operation max_pool2d(const PoolOptions& options = {});
/// [C, H, W] -> [C, H', W'], the mean under the kernel, padding not counted.
ir::Operation avg_pool2d(const PoolOptions& options = {});
/// [C, H, W] -> [C], the mean over both directions.
ir::Operation global_mean();
}  // namespace ops

}  // namespace retia
