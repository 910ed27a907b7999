#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <string_view>

/// Fused operations, each a torch operator, with the functions that check and compute them.
namespace retia::kernels {

/// Sums batch statistics over ranks, for an operation that normalises in its middle. All ranks run
/// the operation in the same order, each on its share of a batch.
///
/// Operators take the name of such an object, since a number or a pointer from Python could be
/// anything.
class SumOverRanks {
 public:
  /// Gives the object its name.
  SumOverRanks();
  virtual ~SumOverRanks();
  SumOverRanks(const SumOverRanks&) = delete;
  SumOverRanks& operator=(const SumOverRanks&) = delete;

  /// Returns the name by which ranks_of() finds this object while it lives; no other object of this
  /// process ever has the same name.
  const std::string& group() const { return group_; }

  /// Replaces `tensor` (contiguous, of equal sizes on all ranks) by its sum over ranks,
  /// bit-identical on all. On a GPU it runs in the current stream, so that the host need not wait.
  virtual void sum_statistics(const at::Tensor& tensor) = 0;

 private:
  const std::string group_;
};

/// Returns the ranks that an operator's argument `group` names: null for "", a SumOverRanks by its
/// group(), or the process group of torch.distributed with this group_name. Throws for any other
/// name.
std::shared_ptr<SumOverRanks> ranks_of(std::string_view group);

}  // namespace retia::kernels
