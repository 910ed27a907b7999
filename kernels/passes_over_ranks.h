#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>

#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels {

/// Returns count, mean and sum of squares about the mean of the batches of all ranks together.
/// batch: the same of this rank's batch, [members, 3, c].
inline at::Tensor batch_of_all_ranks(const at::Tensor& batch, SumOverRanks& ranks) {
  const at::Tensor wide = batch.to(at::kDouble);
  const at::Tensor count = wide.select(1, 0), mean = wide.select(1, 1);
  const at::Tensor sum = mean * count;
  const at::Tensor all = at::stack({count, sum, wide.select(1, 2) + mean * sum}, 1);
  ranks.sum_statistics(all);
  const at::Tensor mean_of_all = all.select(1, 1) / all.select(1, 0);
  const at::Tensor square = (all.select(1, 2) - mean_of_all * all.select(1, 1)).clamp_min(0);
  return at::stack({all.select(1, 0), mean_of_all, square}, 1).to(batch.scalar_type());
}

/// Returns means over the pixels of all ranks. sums: sums over the `pixels` of this rank. ranks:
/// null: this rank only.
inline at::Tensor mean_over_pixels(const at::Tensor& sums, int64_t pixels, SumOverRanks* ranks) {
  if (ranks == nullptr || sums.numel() == 0) {
    return sums / pixels;
  }
  const at::Tensor all =
      at::cat({sums.flatten(), at::full({1}, pixels, sums.options())}).to(at::kDouble);
  ranks->sum_statistics(all);
  return (all.narrow(0, 0, sums.numel()) / all[-1]).to(sums.scalar_type()).view(sums.sizes());
}

}  // namespace retia::kernels
