#include "retia/engine/operations/conv2d.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Conv2d, MakesTheShapesThatAreCalculated) {
  const Dim kernel = ValueChoice<int64_t>("kernel", {1, 2, 3, 4, 5});
  const Dim stride = ValueChoice<int64_t>("stride", {1, 2, 3});
  const Dim dilation = ValueChoice<int64_t>("dilation", {1, 2});
  const ir::Parameter<bool> bias = ValueChoice<bool>("bias", {false, true});
  expect_true_shapes(ops::conv2d({.kernel = kernel, .stride = stride, .dilation = dilation}),
                     {{3, 9, 12}});
  expect_true_shapes(ops::conv2d({.out = ValueChoice<int64_t>("out", {1, 6}),
                                  .kernel = kernel,
                                  .padding = ValueChoice<int64_t>("padding", {0, 1, 4})}),
                     {{2, 5, 6}});
  const Dim odd = ValueChoice<int64_t>("kernel", {1, 3, 5});
  expect_true_shapes(ops::conv2d({.kernel = odd, .stride = stride, .depthwise = true}),
                     {{4, 7, 1}});
  expect_true_shapes(
      ops::conv2d({.out = 6, .groups = ValueChoice<int64_t>("groups", {1, 2}), .bias = true}),
      {{4, 5, 5}});
}

TEST(Conv2d, CostsOneProductPerWeightAndPixel) {
  const auto cost = [](const Conv2dOptions& options, const std::vector<int64_t>& sizes) {
    const ir::Operation conv = ops::conv2d(options);
    const ir::Cost found = conv.kind().cost(conv.parameters(), shapes_of({sizes}));
    return std::make_pair(found.multiply_adds.value(), found.parameters.value());
  };
  using Pair = std::pair<int64_t, int64_t>;
  EXPECT_EQ(cost({.out = 64, .kernel = 7, .stride = 2, .padding = 3}, {3, 224, 224}),
            Pair(118013952, 9408));  // the first layer of ResNet: 112·112·64·3·49
  EXPECT_EQ(cost({.out = 16, .kernel = 1}, {8, 5, 7}), Pair(16 * 8 * 35, 128));
  EXPECT_EQ(cost({.kernel = 5, .depthwise = true}, {8, 5, 7}), Pair(8 * 25 * 35, 200));
  EXPECT_EQ(cost({.out = 12, .groups = 4, .bias = true}, {8, 5, 7}),
            Pair(12 * 2 * 9 * 35, 12 * 2 * 9 + 12));
}

TEST(Conv2d, ConvolvesAsItIsDefined) {
  const auto layer = layer_of(ops::conv2d({.out = 1, .dilation = 2}), shapes_of({{1, 5, 5}}));
  const at::NoGradGuard no_grad;
  const at::Tensor weight = layer->parameters().front();
  weight.copy_(at::arange(9).view({1, 1, 3, 3}));
  const at::Tensor image = at::zeros({1, 1, 5, 5});
  image[0][0][2][2] = 1;  // the only pixel that is lit shows the dilated kernel, mirrored
  const at::Tensor result = layer->forward(image);
  ASSERT_EQ(result.sizes(), image.sizes());
  for (int64_t row = 0; row < 5; ++row) {
    for (int64_t column = 0; column < 5; ++column) {
      const bool under = row % 2 == 0 && column % 2 == 0;
      const auto expected = static_cast<float>(under ? 8 - (row / 2 * 3 + column / 2) : 0);
      EXPECT_EQ(result[0][0][row][column].item<float>(), expected);
    }
  }
}

TEST(Conv2d, DrawsWeightsWithinTheBoundOfItsFanIn) {
  const auto layer = layer_of(ops::conv2d({.out = 64, .kernel = 5, .groups = 2, .bias = true}),
                              shapes_of({{8, 5, 5}}));
  const float bound = 0.1F;  // 1 / sqrt(4 · 25)
  for (const at::Tensor& parameter : layer->parameters()) {
    EXPECT_LE(parameter.abs().max().item<float>(), bound);
    EXPECT_GT(parameter.abs().max().item<float>(), 0.9F * bound);
    EXPECT_NEAR(parameter.mean().item<float>(), 0, 0.2F * bound);
  }
}

TEST(Conv2d, RefusesWhatDoesNotFit) {
  const auto error = [](const Conv2dOptions& options) {
    return error_of([&] { inferred(ops::conv2d(options), {{6, 4, 4}}); });
  };
  EXPECT_THAT(error({.kernel = 7, .padding = 0}),
              HasSubstr("a kernel of 7 with padding 0 does not fit into [6, 4, 4]"));
  EXPECT_THAT(error({.groups = 4}), HasSubstr("6 channels do not divide into 4 groups"));
  EXPECT_THAT(error({.out = 8, .groups = 3}), HasSubstr("8 channels do not divide into 3"));
  EXPECT_THAT(error({.stride = 0}), HasSubstr("must be at least 1, got 0"));
  EXPECT_THAT(error({.kernel = ValueChoice<int64_t>("k", {0, 3})}), HasSubstr("k{0,3}"));
  EXPECT_THAT(error({.padding = -2}), HasSubstr("padding must be at least 0"));
  EXPECT_THAT(error_of([] {
                inferred(ops::conv2d({}), {{6, 4}});
              }),
              HasSubstr("expected an input of 3 dimensions (channels, height, width), got [6, 4]"));
  EXPECT_THAT(error_of([] {
                inferred(ops::conv2d({}), {{6, 4, 4}, {6, 4, 4}});
              }),
              HasSubstr("expected one input, got 2"));
}

}  // namespace
}  // namespace retia
