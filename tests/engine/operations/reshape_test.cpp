#include "retia/engine/operations/reshape.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Reshape, MakesTheShapesThatAreCalculated) {
  const Dim stride = ValueChoice<int64_t>("stride", {1, 2, 3});
  expect_true_shapes(ops::zero({.stride = stride}), {{3, 7, 4}});
  expect_true_shapes(ops::zero({.stride = stride}), {{3, 1, 2}});
  expect_true_shapes(ops::identity(), {{3, 7, 4}});
  expect_true_shapes(ops::shift(), {{3, 7, 4}});
  expect_true_shapes(ops::shift(), {{3, 1, 2}});
  expect_true_shapes(ops::flatten(), {{3, 7, 4}});
  expect_true_shapes(ops::flatten(), {{5}});
  expect_true_shapes(ops::shuffle({.groups = ValueChoice<int64_t>("groups", {1, 2, 3})}),
                     {{6, 3, 4}});
  expect_true_shapes(ops::split({.index = ValueChoice<int64_t>("index", {0, 1}),
                                 .of = ValueChoice<int64_t>("of", {2, 3})}),
                     {{12, 3, 4}});
}

TEST(Reshape, HalvesTheShiftedImageToTheSizeOfTheOther) {
  // What factorized reduction relies on: the stencil of stride 2 sees as many pixels either way.
  for (const int64_t size : {1, 2, 3, 8, 9}) {
    const Shape shifted = shape_of(ops::shift(), shapes_of({{1, size, size}}));
    EXPECT_EQ((shifted[1].value() + 1) / 2, (size + 1) / 2) << size;
  }
}

TEST(Reshape, MovesWhatItSays) {
  const at::Tensor x = at::arange(1, 10, at::kDouble).view({1, 1, 3, 3});
  EXPECT_TRUE(at::equal(result_of(ops::shift(), {x}).view({9}),
                        at::tensor({5, 6, 0, 8, 9, 0, 0, 0, 0}, at::kDouble)));
  const at::Tensor channels = at::arange(6, at::kDouble).view({1, 6, 1, 1});
  EXPECT_TRUE(at::equal(result_of(ops::shuffle({.groups = 2}), {channels}).view({6}),
                        at::tensor({0, 3, 1, 4, 2, 5}, at::kDouble)));
  EXPECT_TRUE(at::equal(result_of(ops::shuffle({.groups = 3}), {channels}).view({6}),
                        at::tensor({0, 2, 4, 1, 3, 5}, at::kDouble)));
  std::vector<at::Tensor> parts;
  for (int64_t i = 0; i < 3; ++i) {
    parts.push_back(result_of(ops::split({.index = i, .of = 3}), {channels}));
  }
  EXPECT_TRUE(at::equal(at::cat(parts, 1), channels));
  EXPECT_TRUE(at::equal(result_of(ops::split({.index = 1, .of = 3, .count = 2}), {channels}),
                        at::cat({parts[1], parts[2]}, 1)));
}

TEST(Reshape, ZeroSaysThatItIsZeroAndTheOthersDoNot) {
  const at::Tensor x = at::arange(-4, 5, at::kDouble).view({1, 1, 3, 3});
  EXPECT_EQ(result_of(ops::zero(), {x}).abs().sum().item<double>(), 0);
  EXPECT_TRUE(layer_of(ops::zero(), shapes_of({{1, 3, 3}}))->always_zero());
  EXPECT_FALSE(layer_of(ops::identity(), shapes_of({{1, 3, 3}}))->always_zero());
  EXPECT_TRUE(at::equal(result_of(ops::identity(), {x}), x));
}

TEST(Reshape, RefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] {
                inferred(ops::split({.of = 4}), {{6, 2, 2}});
              }),
              HasSubstr("expected channels that divide into 4, got [6, 2, 2]"));
  EXPECT_THAT(error_of([] {
                inferred(ops::split({.index = 2}), {{6, 2, 2}});
              }),
              HasSubstr("part 2 is outside 0 to 2 - 1"));
  EXPECT_THAT(error_of([] {
                inferred(ops::split({.index = -1}), {{6, 2, 2}});
              }),
              HasSubstr("part -1 is outside"));
  EXPECT_THAT(error_of([] {
                inferred(ops::shuffle({.groups = 0}), {{6, 2, 2}});
              }),
              HasSubstr("divide into 0"));
  EXPECT_THAT(error_of([] {
                inferred(ops::zero({.stride = 0}), {{6, 2, 2}});
              }),
              HasSubstr("stride must be at least 1, got 0"));
  EXPECT_THAT(error_of([] { inferred(ops::identity(), {{6}, {6}}); }), HasSubstr("got 2"));
  EXPECT_THAT(error_of([] { inferred(ops::shift(), {{6}}); }), HasSubstr("3 dimensions"));
}

}  // namespace
}  // namespace retia
