#include "retia/trainers/one_shot/unrolled.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "retia/mutators/darts.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/moved_weights.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {
namespace {

at::Tensor variable(double value) {
  return at::scalar_tensor(value, at::kDouble).requires_grad_(true);
}

/// L_train = (w - a)^2 / 2, L_valid = (w - 1)^2 / 2 at w = 0, a = 0.5, under `sgd`.
double scalar_gradient(const Optimizer& sgd, const at::Tensor& w, double xi) {
  const at::Tensor a = variable(0.5);
  const Gradients found = unrolled_gradients(
      {.train_gradients = [&](auto of) { return gradients((w - a).square() / 2, of); },
       .valid_gradients = [&](auto of) { return gradients((w - 1).square() / 2, of); },
       .weights = {w},
       .alphas = {a},
       .direction = [&](const Gradients& g) { return sgd.direction(g); },
       .xi = xi});
  EXPECT_EQ(w.item<double>(), 0);
  return found.values.front().item<double>();
}

TEST(UnrolledGradients, AreThoseDerivedByHand) {
  const at::Tensor w = variable(0);
  // w' = 0.05, and d L_valid(w') / d a = (w' - 1) xi.
  const Optimizer plain = Optimizer::sgd({{"w", w}}, {.momentum = 0, .weight_decay = 0});
  EXPECT_NEAR(scalar_gradient(plain, w, 0.1), -0.095, 1e-9);
  // With a momentum buffer of 0.2, w' = 0.032.
  Optimizer momentum = Optimizer::sgd({{"w", w}}, {.momentum = 0.9, .weight_decay = 0});
  momentum.load_state({{"w/momentum", at::scalar_tensor(0.2, at::kDouble)}});
  EXPECT_NEAR(scalar_gradient(momentum, w, 0.1), -0.0968, 1e-9);
}

/// The implicit part by double backward: d/d alpha <v, grad_w L_train(w, alpha)>, v held fixed.
TEST(UnrolledGradients, EqualTheExactOnesThroughTheVirtualStepOfASupernet) {
  Network network(stripes_space(), 1);
  network->to(at::kDouble);
  network->train();
  DartsMutator mutator(*network, {.alpha_scale = 0.5, .seed = 5});
  mutator.reset();
  const Batches batches = stripe_batches(32, 2, 8, at::kDouble);
  const auto loss = [&](int64_t i) {
    const Batch batch = batches.batch(0, i);
    return at::cross_entropy_loss(network->forward(batch.inputs), batch.targets);
  };
  constexpr double xi = 0.05;
  Optimizer sgd = Optimizer::sgd(named_parameters(*network), {.lr = xi, .weight_decay = 0.01});
  const std::vector<at::Tensor> w = sgd.parameters();
  for (int64_t i = 0; i < 3; ++i) {
    sgd.step(gradients(loss(i), w));
  }
  const std::vector<at::Tensor> alphas = mutator.parameters();
  const auto train_loss = [&] { return loss(0); };
  const auto valid_loss = [&] { return loss(3); };
  const Gradients found =
      unrolled_gradients({.train_gradients = [&](auto of) { return gradients(train_loss(), of); },
                          .valid_gradients = [&](auto of) { return gradients(valid_loss(), of); },
                          .weights = w,
                          .alphas = alphas,
                          .direction = [&](const Gradients& g) { return sgd.direction(g); },
                          .xi = xi});

  std::vector<at::Tensor> v, direct;
  {
    const MovedWeights moved(w, sgd.direction(gradients(train_loss(), w)), -xi);
    v = gradients(valid_loss(), w).values;
    direct = gradients(valid_loss(), alphas).values;
  }
  network->set_executor(Executor::Reference);  // which is differentiable twice
  const auto g = torch::autograd::grad({train_loss()}, w, {}, std::nullopt, /*create_graph=*/true,
                                       /*allow_unused=*/true);
  at::Tensor product = at::zeros({}, at::kDouble);
  for (size_t i = 0; i < w.size(); ++i) {
    product = g[i].defined() && v[i].defined() ? product + (g[i] * v[i]).sum() : product;
  }
  const std::vector<at::Tensor> implicit = gradients(product, alphas).values;
  for (size_t i = 0; i < alphas.size(); ++i) {
    const at::Tensor exact = direct[i] - xi * implicit[i];
    EXPECT_GT((xi * implicit[i]).norm().item<double>(), 1e-6) << "nothing to tell apart";
    EXPECT_LT((found.values[i] - exact).norm().item<double>(), 1e-4 * exact.norm().item<double>());
    EXPECT_LT((found.values[i] - exact).norm().item<double>(),
              1e-3 * (xi * implicit[i]).norm().item<double>());
  }
}

TEST(UnrolledGradients, LeaveWeightsStatisticsAndGeneratorsAsTheyWereBitForBit) {
  SearchSetup setup{.network = Network(stripes_space(), 1),
                    .train = stripe_batches(16, 2, 8),
                    .valid = stripe_batches(16, 3, 8),
                    .weight_optimizer = {.lr = 0.05}};
  DartsMutator mutator(*setup.network, {.seed = 5});
  BilevelTrainer trainer(setup, mutator, {.order = 2});
  setup.network->train();
  trainer.train_step(0, 0);
  NamedTensors before;
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    before[name] = tensor.detach().clone();
  }
  const at::Tensor generator = at::detail::getDefaultCPUGenerator().get_state();
  trainer.alpha_gradients(setup.train.batch(0, 1), setup.valid.batch(0, 1));
  EXPECT_TRUE(at::equal(at::detail::getDefaultCPUGenerator().get_state(), generator));
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  }
}

}  // namespace
}  // namespace retia
