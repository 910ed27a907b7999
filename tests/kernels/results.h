#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <algorithm>
#include <vector>

namespace retia::kernels {

/// What an operation gives: its result, gradients, and running statistics after it.
using Results = std::vector<at::Tensor>;

/// `out`, its gradients to `leaves` where its own is `gradient`, and `running`.
inline Results results_of(const at::Tensor& out, const std::vector<at::Tensor>& leaves,
                          const at::Tensor& gradient, const std::vector<at::Tensor>& running) {
  Results results =
      torch::autograd::grad({out}, leaves, {gradient}, std::nullopt, false, /*allow_unused=*/true);
  results.insert(results.begin(), out.detach());
  results.insert(results.end(), running.begin(), running.end());
  return results;
}

/// Bounds the largest difference in terms of the largest value, or of 1: the gradient of a weight
/// that a normalisation cancels is rounding only.
inline void expect_near(const Results& got, const Results& wanted, double bound) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].defined(), wanted[i].defined()) << "result " << i;
    if (!got[i].defined()) {
      continue;
    }
    ASSERT_EQ(got[i].sizes(), wanted[i].sizes()) << "result " << i;
    const at::Tensor wide = wanted[i].to(at::kCPU, at::kDouble);
    const double distance = (got[i].to(at::kCPU, at::kDouble) - wide).abs().max().item<double>();
    EXPECT_LE(distance, bound * std::max(1.0, wide.abs().max().item<double>())) << "result " << i;
  }
}

}  // namespace retia::kernels
