#include "retia/trainers/gradients.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "retia/tests/engine/example_spaces.h"

namespace retia {
namespace {

at::Tensor parameter(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble).requires_grad_(true);
}

TEST(Gradients, AreOfTheGivenTensorsAndNothingElseIsComputed) {
  const at::Tensor w = parameter({2, 3});
  const at::Tensor alpha = parameter({5, 7});
  const at::Tensor unused = parameter({1});
  const std::vector<at::Tensor> of = {alpha, unused};
  const Gradients result = gradients((w * alpha * alpha).sum(), of);
  ASSERT_EQ(result.of.size(), 2);
  EXPECT_TRUE(result.of[0].is_same(alpha));
  EXPECT_TRUE(at::equal(result.values[0], at::tensor({20.0, 42.0}, at::kDouble)));
  EXPECT_FALSE(result.values[1].defined());
  EXPECT_FALSE(w.grad().defined());
  EXPECT_FALSE(alpha.grad().defined());
}

TEST(Gradients, AreUndefinedOfALossThatDependsOnNothing) {
  const std::vector<at::Tensor> of = {parameter({1}), parameter({2})};
  const Gradients result = gradients(at::ones({}, at::kDouble), of);
  ASSERT_EQ(result.values.size(), 2);
  EXPECT_FALSE(result.values[0].defined());
  EXPECT_TRUE(gradients(of[0].sum(), {}).values.empty());
}

TEST(ClipNorm, ScalesAllGradientsTogetherToTheNorm) {
  const at::Tensor a = normal_tensor({3, 4}, 1);
  const at::Tensor b = normal_tensor({5}, 2);
  double square = 0;
  for (const at::Tensor& tensor : {a, b}) {
    for (int64_t i = 0; i < tensor.numel(); ++i) {
      square += std::pow(tensor.flatten()[i].item<double>(), 2);
    }
  }
  Gradients clipped{{a, at::Tensor(), b}, {a.clone(), at::Tensor(), b.clone()}};
  clip_norm(clipped, 0.5);
  const double scale = 0.5 / (std::sqrt(square) + 1e-6);
  EXPECT_TRUE(at::allclose(clipped.values[0], a * scale, 1e-12, 1e-12));
  EXPECT_FALSE(clipped.values[1].defined());
  EXPECT_TRUE(at::allclose(clipped.values[2], b * scale, 1e-12, 1e-12));
}

TEST(ClipNorm, LeavesSmallGradientsAndZeroAlone) {
  const at::Tensor a = normal_tensor({3}, 1);
  for (const double most : {0.0, 100.0}) {
    Gradients given{{a}, {a.clone()}};
    clip_norm(given, most);
    EXPECT_TRUE(at::equal(given.values[0], a));
  }
  Gradients nothing{{a}, {at::Tensor()}};
  clip_norm(nothing, 1);
  EXPECT_FALSE(nothing.values[0].defined());
}

TEST(ClipNorm, ScalesATensorThatTwoParametersShareOnce) {
  // What autograd hands out for the two terms of a sum: one tensor, a view of one number.
  const std::vector<at::Tensor> of = {parameter({1, 2}), parameter({3, 4})};
  Gradients shared = gradients((of[0] + of[1]).sum(), of);
  clip_norm(shared, 0.5);
  const double each = 0.5 / (2 + 1e-6);
  for (const at::Tensor& value : shared.values) {
    EXPECT_TRUE(at::allclose(value, at::tensor({each, each}, at::kDouble)));
  }
}

}  // namespace
}  // namespace retia
