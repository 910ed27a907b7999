#include "retia/engine/operations/batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/engine/tensors.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(BatchNorm, MakesTheShapesThatAreCalculated) {
  expect_true_shapes(ops::batch_norm({.affine = ValueChoice<bool>("affine", {false, true})}),
                     {{3, 5, 4}});
  expect_true_shapes(ops::batch_norm(), {{6}});
}

TEST(BatchNorm, NormalisesByTheBatchAndKeepsRunningStatistics) {
  BatchNormLayer layer({.momentum = 0.25}, 3);
  layer.to(at::kDouble);
  const at::Tensor x = normal_tensor({4, 3, 5, 2}, 1) * 3 + 2;
  const at::Tensor mean = x.mean({0, 2, 3});
  const at::Tensor variance = x.var(at::IntArrayRef{0, 2, 3}, /*unbiased=*/true);
  const at::Tensor biased = x.var(at::IntArrayRef{0, 2, 3}, /*unbiased=*/false);
  const auto per_channel = [](const at::Tensor& t) { return t.view({1, 3, 1, 1}); };
  EXPECT_TRUE(at::allclose(layer.forward(x),
                           (x - per_channel(mean)) / (per_channel(biased) + 1e-5).sqrt(), 1e-10,
                           1e-10));
  EXPECT_TRUE(at::allclose(layer.named_buffers()["running_mean"], 0.25 * mean));
  EXPECT_TRUE(at::allclose(layer.named_buffers()["running_var"], 0.75 + 0.25 * variance));
  layer.eval();
  const at::Tensor running_mean = layer.named_buffers()["running_mean"].clone();
  const at::Tensor running_variance = layer.named_buffers()["running_var"].clone();
  EXPECT_TRUE(at::allclose(layer.forward(x), (x - per_channel(running_mean)) /
                                                 (per_channel(running_variance) + 1e-5).sqrt()));
  EXPECT_TRUE(at::equal(layer.named_buffers()["running_mean"], running_mean));
}

// What recalibration must not rely on: after n batches of mean mu the running one is
// mu (1 - (1 - momentum)^n), no plain mean.
TEST(BatchNorm, StaysShortOfTheMeanOfTwoHundredBatchesByItsMomentum) {
  BatchNormLayer layer({.momentum = 0.01}, 1);
  layer.to(at::kDouble);
  const at::Tensor x = at::tensor({3.0, 5.0}, at::kDouble).view({2, 1});
  for (int64_t i = 0; i < 200; ++i) {
    layer.forward(x);
  }
  EXPECT_NEAR(layer.named_buffers()["running_mean"].item<double>(), 4 * (1 - std::pow(0.99, 200)),
              1e-10);
}

TEST(BatchNorm, RefusesToLearnStatisticsFromOneValue) {
  BatchNormLayer layer({}, 3);
  EXPECT_THAT(error_of([&] {
                layer.forward(at::ones({1, 3}));
              }),
              HasSubstr("more than one value per channel"));
  EXPECT_THAT(error_of([&] {
                layer.forward(at::ones({1, 3, 1, 1}));
              }),
              HasSubstr("more than one value per channel"));
  EXPECT_EQ(layer.named_buffers()["running_var"].sum().item<float>(), 3);
  EXPECT_EQ(layer.forward(at::ones({1, 3, 1, 2})).numel(), 6);
  layer.eval();
  EXPECT_EQ(layer.forward(at::ones({1, 3})).numel(), 3);
}

TEST(BatchNorm, RefusesWhatDoesNotFit) {
  EXPECT_THAT(error_of([] { inferred(ops::batch_norm({.momentum = 0}), {{3}}); }),
              HasSubstr("momentum must be above 0 and at most 1"));
  EXPECT_THAT(error_of([] { inferred(ops::batch_norm({.momentum = 1.5}), {{3}}); }),
              HasSubstr("got 1.5"));
  EXPECT_THAT(error_of([] { inferred(ops::batch_norm(), {{3}, {3}}); }), HasSubstr("got 2"));
}

}  // namespace
}  // namespace retia
