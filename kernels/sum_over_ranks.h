#pragma once

#include <ATen/core/Tensor.h>

namespace retia::kernels {

/// How an operation that normalises in its middle takes the sums of several processes, which all
/// run it in the same order, each on its share of a batch.
class SumOverRanks {
 public:
  virtual ~SumOverRanks() = default;

  /// Replaces `tensor` (contiguous, of equal sizes everywhere) by its sum over ranks, the same to
  /// the bit on all. On a GPU in the order of its current stream, so that the host need not wait.
  virtual void sum_statistics(const at::Tensor& tensor) = 0;
};

}  // namespace retia::kernels
