#include "retia/engine/mutables/gated.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "retia/tests/engine/tensors.h"

namespace retia {
namespace {

class Gated : public testing::Test {
 protected:
  at::Tensor candidate(int64_t k, const at::Tensor& x) const {
    return k == 0 ? x.sin() : k == 1 ? x * w_ : x.square();
  }
  /// |y|^2 in the gradients of x, w and the gates.
  std::vector<at::Tensor> gradients(const at::Tensor& y) const {
    return torch::autograd::grad({y.square().sum()}, {x_, w_, gates_});
  }

  static constexpr int64_t kOpen = 1;
  at::Tensor x_ = normal_tensor({3, 4}, 1).to(at::kDouble).requires_grad_(true);
  at::Tensor w_ = normal_tensor({4}, 2).to(at::kDouble).requires_grad_(true);
  at::Tensor gates_ = at::tensor({0.0, 1.0, 0.0}, at::kDouble).requires_grad_(true);
};

TEST_F(Gated, HasTheGradientsOfTheSumOverAllCandidates) {
  at::Tensor sum;
  for (int64_t k = 0; k < 3; ++k) {
    const at::Tensor term = gates_[k] * candidate(k, x_);
    sum = sum.defined() ? sum + term : term;
  }
  const at::Tensor y = gated(candidate(kOpen, x_), kOpen, gates_,
                             [&](int64_t k) { return candidate(k, x_.detach()); });
  EXPECT_TRUE(at::equal(y, candidate(kOpen, x_)));
  const std::vector<at::Tensor> found = gradients(y), expected = gradients(sum);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(at::allclose(found[i], expected[i], 1e-12, 1e-14)) << i;
    EXPECT_GT(found[i].norm().item<double>(), 0.1);
  }
}

TEST_F(Gated, RunsTheClosedOnesInTheBackwardPassWithoutAGraph) {
  std::vector<int64_t> runs;
  const auto run = [&](int64_t k) {
    runs.push_back(k);
    EXPECT_FALSE(at::GradMode::is_enabled());
    return candidate(k, x_.detach());
  };
  const at::Tensor y = gated(candidate(kOpen, x_), kOpen, gates_, run);
  EXPECT_TRUE(runs.empty());
  gradients(y);
  EXPECT_EQ(runs, (std::vector<int64_t>{0, 2}));
}

TEST_F(Gated, RunsNothingWhereNobodyAsksForTheGradientOfTheGates) {
  const at::Tensor y = gated(candidate(kOpen, x_), kOpen, gates_, [](int64_t) -> at::Tensor {
    ADD_FAILURE() << "ran";
    return {};
  });
  torch::autograd::grad({y.sum()}, {x_, w_});
}

}  // namespace
}  // namespace retia
