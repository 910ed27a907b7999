#pragma once

#include <functional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "retia/engine/distributed/ranks.h"

namespace retia {

/// Averages gradients over ranks during the backward pass. Hooks on the tensors collect each
/// gradient as soon as it is complete; when a bucket is full, its sum over ranks starts and
/// overlaps the rest of the pass. Only gradients that the pass makes are sent, so the traffic
/// follows the active path. The order of the gradients is that of the autograd graph, which is the
/// same on all ranks.
class GradientAverage {
 public:
  /// `ranks` must outlive this object. `bucket_bytes`: the size at which a bucket is sent.
  explicit GradientAverage(Ranks& ranks, int64_t bucket_bytes = int64_t{4} << 20);
  /// Removes the hooks.
  ~GradientAverage();
  GradientAverage(const GradientAverage&) = delete;
  GradientAverage& operator=(const GradientAverage&) = delete;

  /// Returns the gradients averaged over ranks. `gradients` runs a backward pass to `of` and
  /// returns one tensor for each of `of`, or undefined; a gradient must be undefined on all ranks
  /// or on none.
  std::vector<at::Tensor> operator()(std::span<const at::Tensor> of,
                                     const std::function<std::vector<at::Tensor>()>& gradients);

 private:
  struct Bucket {
    std::vector<size_t> places;       // indices in `of`
    std::vector<at::Tensor> tensors;  // kept until the bucket is sent
    at::Tensor sum;
    std::function<void()> wait;
    int64_t bytes = 0;
  };

  void watch(const at::Tensor& tensor);
  void add(size_t place, const at::Tensor& gradient);
  void send();

  Ranks& ranks_;
  int64_t bucket_bytes_;
  std::vector<std::pair<at::Tensor, unsigned>> hooks_;
  std::unordered_set<const void*> watched_;
  // Tensor → index in `of`, for the pass that runs now.
  std::unordered_map<const void*, size_t> places_;
  std::vector<bool> added_;
  std::vector<Bucket> buckets_;
};

}  // namespace retia
