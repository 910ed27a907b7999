#include "retia/engine/operations/grouped_linear.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(GroupedLinear, MakesTheShapesThatAreCalculated) {
  expect_true_shapes(ops::grouped_linear({.out = 6, .groups = 3}), {{12}});
  expect_true_shapes(ops::grouped_linear({.out = 5, .bias = false}), {{7}});
}

TEST(GroupedLinear, MapsEachGroupByItself) {
  for (const bool bias : {true, false}) {
    const auto layer =
        layer_of(ops::grouped_linear({.out = 6, .groups = 3, .bias = bias}), shapes_of({{12}}));
    layer->to(at::kDouble);
    const at::Tensor x = at::randn({5, 12}, at::kDouble);
    const auto of = layer->named_parameters();
    std::vector<at::Tensor> expected;
    for (int64_t g = 0; g < 3; ++g) {
      expected.push_back(at::linear(x.narrow(1, 4 * g, 4), of["weight"].narrow(0, 2 * g, 2),
                                    bias ? of["bias"].narrow(0, 2 * g, 2) : at::Tensor()));
    }
    const at::Tensor found = layer->forward({x});
    EXPECT_LE((found - at::cat(expected, 1)).abs().max().item<double>(), 1e-14);
  }
}

TEST(GroupedLinear, DrawsWeightsWithinTheBoundOfItsFanIn) {
  const auto layer = layer_of(ops::grouped_linear({.out = 100, .groups = 4}), shapes_of({{100}}));
  for (const at::Tensor& parameter : layer->parameters()) {
    EXPECT_LE(parameter.abs().max().item<float>(), 0.2F);
    EXPECT_GT(parameter.abs().max().item<float>(), 0.17F);
  }
}

TEST(GroupedLinear, RefusesWhatDoesNotDivide) {
  EXPECT_THAT(error_of([] { inferred(ops::grouped_linear({.out = 6, .groups = 3}), {{10}}); }),
              HasSubstr("10 features do not divide into 3 groups"));
  EXPECT_THAT(error_of([] { inferred(ops::grouped_linear({.out = 4, .groups = 3}), {{9}}); }),
              HasSubstr("4 features do not divide into 3 groups"));
}

}  // namespace
}  // namespace retia
