#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <barrier>
#include <functional>
#include <thread>
#include <vector>

#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels {

/// Where threads that stand for ranks lay down what they sum.
struct Meeting {
  explicit Meeting(int64_t n) : barrier(n), parts(static_cast<size_t>(n)) {}
  std::barrier<> barrier;
  std::vector<at::Tensor> parts;
};

class RankThread final : public SumOverRanks {
 public:
  RankThread(Meeting& meeting, int64_t rank) : meeting_(meeting), rank_(rank) {}
  void sum_statistics(const at::Tensor& tensor) override {
    meeting_.parts[static_cast<size_t>(rank_)] = tensor.clone();
    meeting_.barrier.arrive_and_wait();
    tensor.copy_(at::stack(meeting_.parts).sum(0));
    meeting_.barrier.arrive_and_wait();
    ++n_calls_;
  }
  int64_t n_calls() const { return n_calls_; }

 private:
  Meeting& meeting_;
  const int64_t rank_;
  int64_t n_calls_ = 0;
};

/// The part of rank `rank` of `n`.
inline at::Tensor share_of(const at::Tensor& batch, int64_t rank, int64_t n) {
  const int64_t share = batch.size(0) / n;
  return batch.slice(0, rank * share, (rank + 1) * share);
}

/// What `run` gives on n ranks, as of one with all samples: the result and the gradient of x are
/// joined, gradients of the rest are summed, and the last `n_running` results are the same on all.
/// Each rank is expected to take `n_calls` sums.
inline std::vector<at::Tensor> results_on_ranks(
    int64_t n, size_t n_running, int64_t n_calls,
    const std::function<std::vector<at::Tensor>(int64_t rank, SumOverRanks&)>& run) {
  Meeting meeting(n);
  std::vector<std::vector<at::Tensor>> found(static_cast<size_t>(n));
  std::vector<std::thread> threads;
  for (int64_t r = 0; r < n; ++r) {
    threads.emplace_back([&, r] {
      RankThread rank(meeting, r);
      found[static_cast<size_t>(r)] = run(r, rank);
      EXPECT_EQ(rank.n_calls(), n_calls);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::vector<at::Tensor> results;
  for (size_t i = 0; i < found.front().size(); ++i) {
    std::vector<at::Tensor> parts;
    for (const auto& of_rank : found) {
      parts.push_back(of_rank[i]);
    }
    if (i < 2) {
      results.push_back(at::cat(parts));
    } else if (i + n_running < found.front().size()) {
      results.push_back(at::stack(parts).sum(0));
    } else {
      for (const at::Tensor& part : parts) {
        EXPECT_TRUE(part.equal(parts.front())) << "statistic " << i;
      }
      results.push_back(parts.front());
    }
  }
  return results;
}

}  // namespace retia::kernels
