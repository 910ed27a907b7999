#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <string_view>

namespace retia::kernels {

/// How an operation that normalises in its middle takes the sums of several processes, which all
/// run it in the same order, each on its share of a batch.
///
/// Operators take the name of such an object, for a number or a pointer from Python could be
/// anything.
class SumOverRanks {
 public:
  SumOverRanks();
  virtual ~SumOverRanks();
  SumOverRanks(const SumOverRanks&) = delete;
  SumOverRanks& operator=(const SumOverRanks&) = delete;

  /// The name by which ranks_of() finds this object while it lives; no other object of this process
  /// has had it.
  const std::string& group() const { return group_; }

  /// Replaces `tensor` (contiguous, of equal sizes everywhere) by its sum over ranks, the same to
  /// the bit on all. On a GPU in the order of its current stream, so that the host need not wait.
  virtual void sum_statistics(const at::Tensor& tensor) = 0;

 private:
  const std::string group_;
};

/// Returns what an operator's argument `group` names: null for "", a SumOverRanks by its group(), or
/// the process group of torch.distributed with this group_name. Throws for any other name.
std::shared_ptr<SumOverRanks> ranks_of(std::string_view group);

}  // namespace retia::kernels
