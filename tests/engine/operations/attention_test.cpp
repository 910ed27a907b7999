#include "retia/engine/operations/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/engine/tensors.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Attention, MakesTheShapesThatAreCalculated) {
  expect_true_shapes(ops::attention(), {{8, 3}});
  expect_true_shapes(ops::attention({.out = ValueChoice<int64_t>("out", {3, 6}),
                                     .width = ValueChoice<int64_t>("width", {4, 8}),
                                     .heads = ValueChoice<int64_t>("heads", {1, 4}),
                                     .bias = false}),
                     {{5, 2, 3}});
}

TEST(Attention, CostsItsMapsAndTheProductsBetweenPositions) {
  const ir::Operation attention = ops::attention({.out = 6, .width = 8});
  const ir::Cost cost = attention.kind().cost(attention.parameters(), shapes_of({{5, 2, 3}}));
  EXPECT_EQ(cost.parameters.value(), 3 * (5 * 8 + 8) + 8 * 6 + 6);
  EXPECT_EQ(cost.multiply_adds.value(), 6 * (3 * 5 * 8 + 8 * 6) + 2 * 6 * 6 * 8);
}

TEST(Attention, WeighsValuesByHowMuchQueriesAndKeysAgree) {
  // One channel, two positions of values 0 and ln 3; q = k = v = x, so position 0 attends to both
  // alike, and position 1 by softmax(0, (ln 3)^2).
  const auto layer = layer_of(ops::attention({.heads = 1, .bias = false}), shapes_of({{1, 2}}));
  layer->to(at::kDouble);
  {
    const at::NoGradGuard no_grad;
    layer->named_parameters()["qkv_weight"].fill_(1);
    layer->named_parameters()["out_weight"].fill_(2);
  }
  const double l = std::log(3.0);
  const at::Tensor y = layer->forward(at::tensor({0.0, l}, at::kDouble).view({1, 1, 2}));
  const double p = std::exp(l * l) / (1 + std::exp(l * l));
  EXPECT_TRUE(at::allclose(y.flatten(), at::tensor({2 * 0.5 * l, 2 * p * l}, at::kDouble)));
}

TEST(Attention, GivesEachHeadItsOwnChannels) {
  const at::Tensor x = normal_tensor({3, 4, 2, 3}, 1);
  const auto layer =
      layer_of(ops::attention({.out = 5, .width = 6, .heads = 2}), shapes_of({{4, 2, 3}}));
  layer->to(at::kDouble);
  const auto weights = layer->named_parameters();
  const at::Tensor tokens = x.flatten(2).transpose(1, 2);
  const auto mapped = [&](int64_t which) {
    return tokens.matmul(weights["qkv_weight"][which].t()) + weights["qkv_bias"][which];
  };
  std::vector<at::Tensor> heads;
  for (int64_t i = 0; i < 2; ++i) {
    const auto of_head = [&](int64_t which) { return mapped(which).narrow(2, 3 * i, 3); };
    const at::Tensor scores = of_head(0).matmul(of_head(1).transpose(1, 2)) / std::sqrt(3.0);
    heads.push_back(scores.softmax(-1).matmul(of_head(2)));
  }
  const at::Tensor expected =
      at::cat(heads, 2).matmul(weights["out_weight"].t()) + weights["out_bias"];
  EXPECT_TRUE(
      at::allclose(layer->forward(x), expected.transpose(1, 2).view({3, 5, 2, 3}), 1e-10, 1e-10));
}

TEST(Attention, DrawsWeightsWithinTheBoundOfTheirFanIn) {
  const auto layer = layer_of(ops::attention({.out = 9, .width = 64}), shapes_of({{25, 2}}));
  const auto most = [&](const std::string& name) {
    return layer->named_parameters()[name].abs().max().item<float>();
  };
  EXPECT_NEAR(most("qkv_weight"), 0.2, 0.01);
  EXPECT_NEAR(most("out_weight"), 0.125, 0.01);
  EXPECT_LE(most("qkv_bias"), 0.2);
  EXPECT_LE(most("out_bias"), 0.125);
}

TEST(Attention, RefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] { inferred(ops::attention(), {{8}}); }),
              HasSubstr("expected one input with channels and positions, got [8]"));
  EXPECT_THAT(error_of([] {
                inferred(ops::attention({.heads = 3}), {{8, 2}});
              }),
              HasSubstr("a width of 8 does not divide into 3 heads"));
  EXPECT_THAT(error_of([] {
                inferred(ops::attention({.heads = 0}), {{8, 2}});
              }),
              HasSubstr("must be at least 1, got 0"));
}

}  // namespace
}  // namespace retia
