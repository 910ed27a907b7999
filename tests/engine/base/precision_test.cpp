#include "retia/engine/base/precision.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/mutables/gated.h"
#include "retia/models/darts_cnn.h"
#include "retia/mutators/darts.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// A float32 tensor of numbers that bfloat16 has.
at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

at::Tensor floats(const std::vector<int64_t>& sizes, uint64_t seed) {
  return normal_tensor(sizes, seed).to(at::kFloat);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

TEST(Precision, IsToldByNames) {
  for (const char* name : {"fp32", "fp64", "bf16", "fp16"}) {
    EXPECT_EQ(precision_of(dtype_of(name)), name);
  }
  EXPECT_EQ(stored_in(dtype_of("bf16")), at::kFloat);
  EXPECT_EQ(stored_in(dtype_of("fp64")), at::kDouble);
  EXPECT_THAT(error_of([] { dtype_of("fp8"); }),
              HasSubstr("unknown precision 'fp8': use fp32, fp64, bf16 or fp16"));
}

TEST(Autocast, HoldsWhileItLivesAndCastsWeightsAnew) {
  const at::Tensor x = floats({2, 4}, 1);
  const at::Tensor weight = floats({3, 4}, 2).requires_grad_(true);
  const auto run = [&](at::ScalarType dtype) {
    const Autocast autocast(at::kCPU, dtype);
    EXPECT_EQ(autocast_to(at::kCPU), is_lower(dtype) ? dtype : at::kFloat);
    return at::linear(x, weight);
  };
  EXPECT_EQ(run(at::kFloat).scalar_type(), at::kFloat);
  EXPECT_EQ(run(at::kDouble).scalar_type(), at::kFloat);
  const at::Tensor before = run(at::kBFloat16);
  EXPECT_EQ(before.scalar_type(), at::kBFloat16);
  EXPECT_EQ(autocast_to(at::kCPU), at::kFloat);
  {
    const at::NoGradGuard no_grad;
    at::Tensor(weight).mul_(2);
  }
  EXPECT_TRUE(at::equal(run(at::kBFloat16), before * 2)) << "the cast of old weights was kept";
}

/// A convolution, a normalisation and a classifier.
ir::Graph small_model() {
  Builder b("net");
  Wire x = b.input("image", {3, 6, 6});
  x = b.add("stem", block({.out = 16}), {x});
  x = b.add("wide", ops::conv2d({.out = 8, .kernel = 3}), {b.add("relu", ops::relu(), {x})});
  b.output("y", b.add("head", ops::linear({.out = 2}), {b.add("mean", ops::global_mean(), {x})}));
  return b.finish();
}

TEST(LowerPrecision, KeepsWeightsOutputsGradientsAndStatisticsInFloat32) {
  for (const Executor executor : {Executor::Reference, Executor::Fused}) {
    Network network(small_model(), 1);
    network->set_executor(executor);
    network->train();
    const at::Tensor x = floats({4, 3, 6, 6}, 1);
    const at::Tensor full = network->forward(x);
    network->set_precision(at::kBFloat16);
    const at::Tensor lower = network->forward(x);
    EXPECT_EQ(lower.scalar_type(), at::kFloat);
    EXPECT_LT(distance(lower, full), 0.02);
    EXPECT_FALSE(at::equal(lower, full)) << "nothing was computed in bfloat16";
    EXPECT_TRUE(at::equal(lower, rounded(lower))) << "the classifier was not in bfloat16";
    for (const at::Tensor& gradient : torch::autograd::grad({lower.sum()}, network->parameters())) {
      EXPECT_EQ(gradient.scalar_type(), at::kFloat);
    }
    for (const at::Tensor& buffer : network->buffers()) {
      EXPECT_EQ(buffer.scalar_type(), at::kFloat);
      EXPECT_FALSE(at::equal(buffer, rounded(buffer))) << "a statistic was rounded";
    }
  }
}

TEST(LowerPrecision, NormalisesByStatisticsThatAreNotRounded) {
  const auto norm = std::make_shared<BatchNormLayer>(BatchNormOptions{.affine = false}, Dim(4));
  norm->train();
  // Of a mean far from zero, so that a rounded one is seen.
  const at::Tensor x = rounded(floats({64, 4, 3, 3}, 1) + 10);
  for (const bool keep : {false, true}) {
    norm->keep_statistics(keep);
    const at::Tensor full = norm->forward({x});
    const at::Tensor before = norm->running_statistics().front().clone();
    const at::Tensor lower = norm->forward({x.to(at::kBFloat16)});
    EXPECT_EQ(lower.scalar_type(), at::kBFloat16);
    EXPECT_LE((lower - rounded(full)).abs().max().item<double>(), 1.0 / 64) << keep;
    EXPECT_EQ(at::equal(norm->running_statistics().front(), before), keep);
  }
}

TEST(LowerPrecision, LeavesFusedOperationsOnTheCpuInFloat32) {
  Network network(darts_cnn({.channels = 4, .layers = 2, .nodes = 2}, {{3, 8, 8}, 10}), 1);
  DartsMutator mutator(*network, {.alpha_scale = 0.5, .seed = 5});
  mutator.reset();
  network->train();
  const at::Tensor x = floats({4, 3, 8, 8}, 1);
  const auto results = [&](at::ScalarType precision) {
    network->set_precision(precision);
    const at::Tensor y = network->forward(x);
    std::vector<at::Tensor> all = torch::autograd::grad({y.square().sum()}, mutator.parameters());
    all.push_back(y.detach());
    return all;
  };
  const std::vector<at::Tensor> full = results(at::kFloat), lower = results(at::kBFloat16);
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_LT(distance(lower[i], full[i]), 0.02) << "only the classifier is in bfloat16: " << i;
    EXPECT_GT(distance(lower[i], full[i]), 0) << i;
  }
}

TEST(LowerPrecision, IsThatOfTheClosedGatesWhichRunInTheBackwardPass) {
  const at::Tensor x = floats({2, 4}, 1);
  const at::Tensor weight = floats({4, 4}, 2).requires_grad_(true);
  const at::Tensor gates = at::tensor({1.0F, 0.0F}).requires_grad_(true);
  std::vector<at::ScalarType> ran_in;
  const auto run = [&](int64_t k) {
    const at::Tensor y = k == 0 ? at::linear(x, weight) : at::linear(x, weight).neg();
    ran_in.push_back(y.scalar_type());
    return y;
  };
  at::Tensor y;
  {
    const Autocast autocast(at::kCPU, at::kBFloat16);
    y = gated(run(0), 0, gates, run);
  }
  const auto found = torch::autograd::grad({y.to(at::kFloat).sum()}, {gates, weight});
  EXPECT_EQ(ran_in, std::vector(2, at::kBFloat16));
  EXPECT_EQ(found[0].scalar_type(), at::kFloat);
  EXPECT_FLOAT_EQ(found[0][0].item<float>(), -found[0][1].item<float>());
  EXPECT_FALSE(at::equal(found[0], rounded(found[0]))) << "the gradient of gates was rounded";
}

}  // namespace
}  // namespace retia
