#include "retia/engine/operations/activation.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

TEST(Activation, KeepsTheShape) {
  for (const ir::Operation& one :
       {ops::relu(), ops::relu6(), ops::sigmoid(), ops::silu(), ops::tanh()}) {
    expect_true_shapes(one, {{3}});
    expect_true_shapes(one, {{3, 7, 4}});
    EXPECT_THAT(error_of([&] {
                  inferred(one, {{6}, {6}});
                }),
                testing::HasSubstr("expected one input, got 2"));
  }
}

TEST(Activation, ActivatesEachNumberByItself) {
  const at::Tensor x = at::tensor({-2.0, 0.0, 0.5, 7.0}, at::kDouble).view({1, 4});
  EXPECT_TRUE(at::equal(result_of(ops::relu(), {x}).view({4}),
                        at::tensor({0.0, 0.0, 0.5, 7.0}, at::kDouble)));
  EXPECT_TRUE(at::equal(result_of(ops::relu6(), {x}).view({4}),
                        at::tensor({0.0, 0.0, 0.5, 6.0}, at::kDouble)));
  const at::Tensor swished = result_of(ops::silu(), {x}).view({4});
  const at::Tensor squashed = result_of(ops::tanh(), {x}).view({4});
  for (int64_t i = 0; i < 4; ++i) {
    const double value = x[0][i].item<double>();
    EXPECT_NEAR(swished[i].item<double>(), value / (1 + std::exp(-value)), 1e-12);
    EXPECT_NEAR(squashed[i].item<double>(), std::tanh(value), 1e-12);
  }
}

TEST(Sigmoid, IsTheLogisticFunction) {
  const at::Tensor x = at::linspace(-6, 6, 24, at::kDouble).view({2, 3, 2, 2});
  EXPECT_TRUE(at::allclose(result_of(ops::sigmoid(), {x}), 1 / (1 + (-x).exp())));
  EXPECT_EQ(inferred(ops::sigmoid(), {{3, 2, 2}}), "[3, 2, 2]");
}

}  // namespace
}  // namespace retia
