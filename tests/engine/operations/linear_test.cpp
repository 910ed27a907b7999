#include "retia/engine/operations/linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Linear, MakesTheShapesThatAreCalculated) {
  expect_true_shapes(ops::linear({.out = ValueChoice<int64_t>("out", {1, 5})}), {{7}});
  expect_true_shapes(ops::linear({.out = 3, .bias = false}), {{1}});
}

TEST(Linear, CostsOneProductPerWeight) {
  const ir::Operation linear = ops::linear({.out = 10});
  const ir::Cost cost = linear.kind().cost(linear.parameters(), shapes_of({{84}}));
  EXPECT_EQ(cost.multiply_adds.value(), 840);
  EXPECT_EQ(cost.parameters.value(), 850);
}

TEST(Linear, MultipliesAndAddsTheBias) {
  const auto layer = layer_of(ops::linear({.out = 1}), shapes_of({{2}}));
  const at::NoGradGuard no_grad;
  layer->named_parameters()["weight"].copy_(at::tensor({2.0, -1.0}).view({1, 2}));
  layer->named_parameters()["bias"].fill_(0.5);
  EXPECT_EQ(layer->forward(at::tensor({3.0F, 4.0F}).view({1, 2})).item<float>(), 2.5F);
}

TEST(Linear, DrawsWeightsWithinTheBoundOfItsFanIn) {
  const auto layer = layer_of(ops::linear({.out = 50}), shapes_of({{25}}));
  for (const at::Tensor& parameter : layer->parameters()) {
    EXPECT_LE(parameter.abs().max().item<float>(), 0.2F);
    EXPECT_GT(parameter.abs().max().item<float>(), 0.17F);
  }
}

TEST(Linear, RefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] {
                inferred(ops::linear({.out = 2}), {{3, 4, 4}});
              }),
              HasSubstr("expected an input of 1 dimensions, got [3, 4, 4]"));
  EXPECT_THAT(error_of([] { inferred(ops::linear({.out = 0}), {{3}}); }),
              HasSubstr("out must be at least 1, got 0"));
}

}  // namespace
}  // namespace retia
