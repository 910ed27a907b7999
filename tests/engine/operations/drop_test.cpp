#include "retia/engine/operations/drop.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/base/random.h"
#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

std::shared_ptr<StochasticLayer> drop_path(double probability) {
  return std::dynamic_pointer_cast<StochasticLayer>(
      layer_of(ops::drop_path({.probability = probability}), shapes_of({{2, 3}})));
}

std::vector<uint64_t> keys(int64_t n, uint64_t seed) {
  std::vector<uint64_t> all;
  for (int64_t i = 0; i < n; ++i) {
    all.push_back(mix({seed, static_cast<uint64_t>(i)}));
  }
  return all;
}

TEST(DropPath, ZeroesWholeSamplesAndScalesTheOthers) {
  const auto layer = drop_path(0.4);
  const int64_t n = 4000;
  for (const double progress : {0.5, 1.0}) {
    layer->prepare(keys(n, 1), progress, 7);
    const at::Tensor result = layer->forward(at::ones({n, 2, 3}, at::kDouble));
    const double stays = 1 - 0.4 * progress;
    const at::Tensor first = result.select(2, 0).select(1, 0);
    EXPECT_TRUE(at::equal(result, first.view({n, 1, 1}).expand({n, 2, 3})));
    const int64_t n_kept = first.ne(0).sum().item<int64_t>();
    EXPECT_NEAR(static_cast<double>(n_kept), n * stays, 4 * std::sqrt(n * stays * (1 - stays)));
    EXPECT_NEAR(first.max().item<double>(), 1 / stays, 1e-12);
  }
}

TEST(DropPath, DrawsBySampleKeyAndStreamAlone) {
  const auto layer = drop_path(0.5);
  std::vector<uint64_t> all = keys(64, 2);
  const at::Tensor ones = at::ones({64, 2, 3});
  layer->prepare(all, 1, 7);
  const at::Tensor together = layer->forward(ones);
  layer->prepare({all.begin() + 32, all.end()}, 1, 7);
  EXPECT_TRUE(at::equal(layer->forward(ones.slice(0, 32)), together.slice(0, 32)));
  layer->prepare(all, 1, 8);
  EXPECT_FALSE(at::equal(layer->forward(ones), together));
}

TEST(DropPath, LeavesEvaluationAndTheBeginningAlone) {
  const auto layer = drop_path(0.5);
  const at::Tensor x = at::ones({3, 2, 3});
  layer->prepare(keys(3, 3), 0, 7);
  EXPECT_TRUE(at::equal(layer->forward(x), x));
  layer->eval();
  EXPECT_TRUE(at::equal(layer->forward(at::ones({5, 2, 3})), at::ones({5, 2, 3})));
}

TEST(DropPath, RefusesABatchThatItWasNotPreparedFor) {
  const auto layer = drop_path(0.5);
  layer->prepare(keys(3, 3), 1, 7);
  EXPECT_THAT(error_of([&] {
                layer->forward(at::ones({4, 2, 3}));
              }),
              HasSubstr("prepared for 3 samples, got 4"));
}

std::shared_ptr<StochasticLayer> fading_dropout(const FadingDropoutOptions& options) {
  return std::dynamic_pointer_cast<StochasticLayer>(
      layer_of(ops::fading_dropout(options), shapes_of({{2, 3}})));
}

TEST(FadingDropout, ZeroesNumbersByTheirOwnDrawsAndScalesTheOthers) {
  const auto layer = fading_dropout({.probability = 0.4});
  const std::vector<uint64_t> samples = keys(50, 1);
  layer->prepare(samples, 0, 7);
  const at::Tensor result = layer->forward(at::ones({50, 2, 3}, at::kDouble));
  for (int64_t i = 0; i < 50; ++i) {
    Random random(mix({samples[static_cast<size_t>(i)], 7}));
    for (int64_t k = 0; k < 6; ++k) {
      const double expected = random.uniform() >= 0.4 ? 1 / 0.6 : 0;
      EXPECT_DOUBLE_EQ(result[i].view(-1)[k].item<double>(), expected);
    }
  }
}

// Linear while alphas rest, and exponential from then on: P-DARTS's 0.7 exp(-0.2 e) over 25 epochs,
// 10 of which alphas rest.
TEST(FadingDropout, FadesByThePapersSchedule) {
  const auto layer = fading_dropout({.probability = 0.7});
  const std::vector<std::pair<double, double>> expected = {
      {0, 0.7}, {0.2, 0.56}, {0.4, 0.7}, {0.6, 0.7 * std::exp(-1)}, {1, 0.7 * std::exp(-3)}};
  for (const auto& [progress, drop] : expected) {
    layer->prepare(keys(1, 1), progress, 7);
    const at::Tensor result = layer->forward(at::ones({1, 20000}, at::kDouble));
    const double kept = result.ne(0).to(at::kDouble).mean().item<double>();
    EXPECT_NEAR(kept, 1 - drop, 5 * std::sqrt(drop * (1 - drop) / 20000)) << progress;
    EXPECT_NEAR(result.max().item<double>(), 1 / (1 - drop), 1e-12);
  }
}

TEST(FadingDropout, LeavesEvaluationAloneAndRefusesABatchThatItWasNotPreparedFor) {
  const auto layer = fading_dropout({.probability = 0.5});
  layer->prepare(keys(3, 3), 0, 7);
  EXPECT_THAT(error_of([&] {
                layer->forward(at::ones({4, 2, 3}));
              }),
              HasSubstr("prepared for 3 samples, got 4"));
  layer->eval();
  EXPECT_TRUE(at::equal(layer->forward(at::ones({5, 2, 3})), at::ones({5, 2, 3})));
  EXPECT_THAT(error_of([] { inferred(ops::fading_dropout({.probability = 1.0}), {{3}}); }),
              HasSubstr("probability must be at least 0 and below 1"));
  EXPECT_THAT(error_of([] { inferred(ops::fading_dropout({.hold = -1.0}), {{3}}); }),
              HasSubstr("hold and decay must be at least 0, got -1"));
  expect_true_shapes(ops::fading_dropout({.probability = 0}), {{3, 4}});
}

TEST(DropPath, RefusesAProbabilityThatIsNone) {
  for (const double probability : {-0.1, 1.0}) {
    EXPECT_THAT(error_of([&] { inferred(ops::drop_path({.probability = probability}), {{3}}); }),
                HasSubstr("probability must be at least 0 and below 1"));
  }
  expect_true_shapes(ops::drop_path({.probability = 0}), {{3, 4}});
}

}  // namespace
}  // namespace retia
