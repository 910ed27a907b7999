#include "retia/engine/operations/pool.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

at::Tensor image(const std::vector<double>& values, int64_t height) {
  return at::tensor(values, at::kDouble)
      .view({1, 1, height, static_cast<int64_t>(values.size()) / height});
}

TEST(Pool, MakesTheShapesThatAreCalculated) {
  const PoolOptions halves = {.kernel = ValueChoice<int64_t>("kernel", {1, 2, 3, 4, 5}),
                              .stride = ValueChoice<int64_t>("stride", {1, 2, 3})};
  const PoolOptions padded = {.kernel = ValueChoice<int64_t>("kernel", {2, 3}),
                              .stride = 2,
                              .padding = ValueChoice<int64_t>("padding", {0, 1})};
  for (const PoolOptions& options : {halves, padded}) {
    expect_true_shapes(ops::max_pool2d(options), {{2, 7, 10}});
    expect_true_shapes(ops::avg_pool2d(options), {{3, 5, 6}});
  }
  expect_true_shapes(ops::global_mean(), {{5, 3, 4}});
}

TEST(Pool, TakesTheLargestValueUnderTheKernel) {
  const at::Tensor x = image({-5, -4, -9, -8, -7, -6, -1, -2, -3}, 3);
  EXPECT_TRUE(
      at::equal(result_of(ops::max_pool2d({.stride = 2}), {x}), image({-4, -4, -1, -2}, 2)));
}

TEST(Pool, AveragesWithoutThePadding) {
  const at::Tensor x = image({1, 2, 3, 4, 5, 6, 7, 8, 9}, 3);
  EXPECT_TRUE(
      at::equal(result_of(ops::avg_pool2d(), {x}), image({3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7}, 3)));
  EXPECT_EQ(result_of(ops::global_mean(), {x}).item<double>(), 5);
}

TEST(Pool, RefusesWhatDoesNotFit) {
  for (const auto pool : {&ops::max_pool2d, &ops::avg_pool2d}) {
    const auto error = [&](const PoolOptions& options) {
      return error_of([&] { inferred(pool(options), {{2, 4, 3}}); });
    };
    EXPECT_THAT(error({.kernel = 4, .padding = 0}),
                HasSubstr("a kernel of 4 with padding 0 does not fit into [2, 4, 3]"));
    EXPECT_THAT(error({.kernel = 3, .padding = 2}), HasSubstr("more than half of the kernel 3"));
    EXPECT_THAT(error({.padding = -2}), HasSubstr("padding must be at least 0"));
    EXPECT_THAT(error({.stride = 0}), HasSubstr("at least 1, got 3 and 0"));
    EXPECT_THAT(error_of([&] { inferred(pool({}), {{2}}); }), HasSubstr("3 dimensions"));
  }
}

TEST(Pool, CostsNothing) {
  const ir::Operation pool = ops::max_pool2d();
  EXPECT_EQ(pool.kind().cost(pool.parameters(), shapes_of({{2, 4, 4}})).multiply_adds.value(), 0);
}

}  // namespace
}  // namespace retia
