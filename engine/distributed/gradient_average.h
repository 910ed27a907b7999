#pragma once

#include <functional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/distributed/ranks.h"

namespace retia {

/// Averages gradients over ranks while the backward pass makes them. Hooks on the tensors collect
/// each gradient as soon as it is complete; whenever a bucket is full, its sum over ranks is begun
/// and goes on beside the pass. Only gradients that the pass makes are sent, so bytes follow the
/// active path. The order of a pass is that of its graph, which is the same on all ranks.
class GradientAverage {
 public:
  /// ranks: outlives this. bucket_bytes: when a bucket is sent.
  explicit GradientAverage(Ranks& ranks, int64_t bucket_bytes = int64_t{4} << 20);
  /// Takes the hooks off again.
  ~GradientAverage();
  GradientAverage(const GradientAverage&) = delete;
  GradientAverage& operator=(const GradientAverage&) = delete;

  /// What `gradients` returns, one tensor each of `of` or undefined, averaged over ranks. It runs a
  /// backward pass to `of`, which are undefined on all ranks or on none.
  std::vector<at::Tensor> operator()(std::span<const at::Tensor> of,
                                     const std::function<std::vector<at::Tensor>()>& gradients);

 private:
  struct Bucket {
    std::vector<size_t> places;       // in `of`
    std::vector<at::Tensor> tensors;  // until it is sent
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
  std::unordered_map<const void*, size_t> places_;  // of the pass that runs
  std::vector<bool> added_;
  std::vector<Bucket> buckets_;
};

}  // namespace retia
