#include "retia/trainers/loss_scaler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace retia {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr LossScalerOptions kQuick = {.scale = 8, .growth_interval = 3};

/// A training step whose gradient is `gradient`; whether it may be used.
bool step(LossScaler& scaler, float gradient) {
  std::vector<at::Tensor> gradients = {at::tensor({gradient})};
  const bool finite = scaler.unscale(gradients);
  scaler.update();
  return finite;
}

TEST(LossScaler, ScalesLossesAndUnscalesGradients) {
  LossScaler scaler(at::kCPU, kQuick);
  EXPECT_EQ(scaler.scaled(at::tensor(0.5F)).item<float>(), 4);
  const at::Tensor shared = at::tensor({16.0F, -4.0F});
  std::vector<at::Tensor> gradients = {shared, at::Tensor(), shared};
  EXPECT_TRUE(scaler.unscale(gradients));
  EXPECT_TRUE(at::equal(gradients[0], at::tensor({2.0F, -0.5F})));
  EXPECT_FALSE(gradients[1].defined());
  EXPECT_TRUE(at::equal(gradients[2], gradients[0])) << "one tensor for two parameters";
}

TEST(LossScaler, SeesEveryGradientThatIsNotFinite) {
  for (const float bad : {kInfinity, -kInfinity, std::nanf("")}) {
    LossScaler scaler(at::kCPU, kQuick);
    std::vector<at::Tensor> gradients = {at::tensor({1.0F}), at::tensor({1.0F, bad})};
    EXPECT_FALSE(scaler.unscale(gradients));
  }
}

TEST(LossScaler, FallsAfterAnOverflowAndGrowsAfterAsManyStepsWithout) {
  LossScaler scaler(at::kCPU, kQuick);
  std::vector<double> scales;
  for (const float gradient : {1.0F, kInfinity, 1.0F, 1.0F, 1.0F, 1.0F, kInfinity}) {
    EXPECT_EQ(step(scaler, gradient), gradient == 1);
    scales.push_back(scaler.scale());
  }
  EXPECT_EQ(scales, (std::vector<double>{8, 4, 4, 4, 8, 8, 4}));
  EXPECT_EQ(scaler.n_overflows(), 2);
  scaler.start_counting();
  EXPECT_EQ(scaler.n_overflows(), 0);
}

TEST(LossScaler, CountsAStepOnceHoweverManyGradientsItHas) {
  LossScaler scaler(at::kCPU, kQuick);
  for (const float gradient : {kInfinity, kInfinity, 1.0F}) {  // say of alphas, and of weights
    std::vector<at::Tensor> gradients = {at::tensor({gradient})};
    EXPECT_EQ(scaler.unscale(gradients), gradient == 1);
  }
  scaler.update();
  EXPECT_EQ(scaler.scale(), 4);
  EXPECT_EQ(scaler.n_overflows(), 1);
  scaler.update();
  EXPECT_EQ(scaler.scale(), 4) << "a step without gradients";
}

TEST(LossScaler, GoesOnFromItsState) {
  LossScaler whole(at::kCPU, kQuick), first(at::kCPU, kQuick), second(at::kCPU, kQuick);
  for (const float gradient : {kInfinity, 1.0F, 1.0F}) {
    step(whole, gradient);
    step(first, gradient);
  }
  second.load_state(Json::parse(first.state().dump()));
  EXPECT_EQ(second.n_overflows(), 1);
  step(whole, 1);
  step(second, 1);
  EXPECT_EQ(second.scale(), 8) << "it had forgotten the steps without an overflow";
  EXPECT_EQ(second.state(), whole.state());
}

}  // namespace
}  // namespace retia
