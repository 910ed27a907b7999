#include "retia/engine/operations/join.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Join, MakesTheShapesThatAreCalculated) {
  expect_true_shapes(ops::add(), {{3, 5, 4}, {3, 5, 4}, {3, 5, 4}});
  expect_true_shapes(ops::mean(), {{3}, {3}});
  expect_true_shapes(ops::concat(), {{3, 5, 4}, {1, 5, 4}, {2, 5, 4}});
  expect_true_shapes(ops::concat(), {{3}});
  expect_true_shapes(ops::nothing_chosen({.shape = {ValueChoice<int64_t>("w", {2, 7}), 3}}),
                     {{4, 5}});
}

TEST(Join, AddsAveragesAndConcatenates) {
  const at::Tensor a = at::tensor({1.0, 2.0}).view({1, 2});
  const at::Tensor b = at::tensor({10.0, 20.0}).view({1, 2});
  const at::Tensor c = at::tensor({4.0, 8.0}).view({1, 2});
  EXPECT_TRUE(at::equal(result_of(ops::add(), {a, b, c}), at::tensor({15.0, 30.0}).view({1, 2})));
  EXPECT_TRUE(at::equal(result_of(ops::mean(), {a, b, c}), at::tensor({5.0, 10.0}).view({1, 2})));
  EXPECT_TRUE(
      at::equal(result_of(ops::concat(), {c, a}), at::tensor({4.0, 8.0, 1.0, 2.0}).view({1, 4})));
  EXPECT_TRUE(at::equal(result_of(ops::nothing_chosen({.shape = {2}}), {b}), a * 0));
}

TEST(Join, RefusesUnequalInputsNamingBothShapes) {
  EXPECT_THAT(error_of([] {
                inferred(ops::add(), {{3, 5, 4}, {3, 5, 5}});
              }),
              AllOf(HasSubstr("[3, 5, 4]"), HasSubstr("[3, 5, 5]")));
  EXPECT_THAT(error_of([] {
                inferred(ops::mean(), {{3}, {4}});
              }),
              AllOf(HasSubstr("[3]"), HasSubstr("[4]")));
  EXPECT_THAT(error_of([] {
                inferred(ops::concat(), {{3, 5, 4}, {3, 4, 4}});
              }),
              AllOf(HasSubstr("[3, 5, 4]"), HasSubstr("[3, 4, 4]")));
  EXPECT_THAT(error_of([] { inferred(ops::add(), {}); }), HasSubstr("at least one input"));
  EXPECT_THAT(error_of([] { inferred(ops::concat(), {}); }), HasSubstr("at least one input"));
}

}  // namespace
}  // namespace retia
