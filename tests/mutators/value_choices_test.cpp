#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <torch/autograd.h>

#include <cmath>
#include <set>

#include "retia/engine/executor/network.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/enas.h"
#include "retia/mutators/fairnas.h"
#include "retia/mutators/gdas.h"
#include "retia/mutators/proxyless.h"
#include "retia/mutators/spos.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/mutators/chi_square.h"
#include "retia/trainers/score.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// A hidden layer of three widths and another of twice them or not, with an activation between.
class ValueChoices : public testing::Test {
 protected:
  ValueChoices() {
    const Dim width = ValueChoice<int64_t>("width", {2, 4, 3});
    const Dim factor = ValueChoice<int64_t>("factor", {2, 1, 3});
    Builder b("net");
    Wire x = b.add("first", ops::linear({.out = width}), {b.input("x", {5})});
    x = b.layer_choice("act", {{"relu", ops::relu()}, {"tanh", ops::tanh()}, {"silu", ops::silu()}},
                       {x});
    x = b.add("second", ops::linear({.out = width * factor}), {x});
    b.output("y", b.add("head", ops::linear({.out = 2}), {x}));
    network_ = Network(b.finish(), 1);
    randomise(*network_, 2);
  }

  at::Tensor output() { return network_->forward(normal_tensor({6, 5}, 3)); }
  at::Tensor loss() { return (output() * normal_tensor({6, 2}, 4)).sum(); }

  /// What one path makes.
  at::Tensor path(Mutator& mutator, const Architecture& architecture) {
    const Architecture before = mutator.current();
    mutator.apply(architecture);
    at::Tensor result = output();
    mutator.apply(before);
    return result;
  }

  /// Expects the gradients of `loss` by `alphas` that central differences give.
  void expect_true_gradients(Mutator& mutator) {
    std::vector<at::Tensor> alphas = mutator.parameters();
    ASSERT_EQ(alphas.size(), 3);
    const std::vector<at::Tensor> gradients = torch::autograd::grad({loss()}, alphas);
    constexpr double kStep = 1e-5;
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < alphas.size(); ++i) {
      EXPECT_GT(gradients[i].abs().max().item<double>(), 1e-4);
      for (int64_t k = 0; k < 3; ++k) {
        alphas[i][k] += kStep;
        const auto above = loss().item<double>();
        alphas[i][k] -= 2 * kStep;
        const auto below = loss().item<double>();
        alphas[i][k] += kStep;
        EXPECT_NEAR(gradients[i][k].item<double>(), (above - below) / (2 * kStep), 1e-6);
      }
    }
  }

  Network network_ = nullptr;
};

TEST_F(ValueChoices, AreMutablesOfTheirOwnKindInTheOrderOfTheGraph) {
  const AppliedMutator mutator(*network_);
  std::vector<std::string> labels;
  for (const Mutable& choice : mutator.mutables()) {
    labels.push_back(choice.label);
  }
  EXPECT_THAT(labels, ElementsAre("width", "act", "factor"));
  EXPECT_EQ(mutator.mutables(), ir::mutables(network_->graph()));
}

TEST_F(ValueChoices, AreDrawnUniformlyBySpos) {
  SposMutator mutator(*network_, {.seed = 5});
  std::map<Architecture, int64_t> counts;
  const at::NoGradGuard no_grad;
  for (int i = 0; i < 27000; ++i) {
    mutator.reset();
    ++counts[mutator.current()];
  }
  EXPECT_EQ(counts.size(), 27);
  EXPECT_LT(strangeness(counts, 27), 5);
  EXPECT_EQ(output().size(1), 2);
}

TEST_F(ValueChoices, AreEachTrainedOnceInARoundOfFairnas) {
  FairnasMutator mutator(*network_, {.seed = 5});
  std::map<std::string, std::set<int64_t>> seen;
  for (int path = 0; path < 3; ++path) {
    mutator.reset();
    for (const auto& [label, decision] : mutator.current()) {
      seen[label].insert(decision.chosen.front());
    }
    EXPECT_EQ(output().size(1), 2);
  }
  for (const char* label : {"width", "act", "factor"}) {
    EXPECT_EQ(seen[label].size(), 3) << label;
  }
}

TEST_F(ValueChoices, AreBlendedByTheSoftmaxOfTheirAlphasByDarts) {
  DartsMutator mutator(*network_, {.alpha_scale = 1, .seed = 3});
  mutator.reset();
  for (const Mutable& choice : mutator.mutables()) {
    EXPECT_TRUE(at::allclose(mutator.weights(choice), mutator.alpha(choice.label).softmax(0)));
  }
  expect_true_gradients(mutator);
  const at::NoGradGuard no_grad;
  at::Tensor alpha = mutator.alpha("width");
  alpha.copy_(at::tensor({0.0, -50.0, 50.0}, at::kDouble));
  EXPECT_THAT(mutator.export_architecture().at("width").chosen, ElementsAre(2));
  for (const char* label : {"act", "factor"}) {
    at::Tensor sure = mutator.alpha(label);
    sure.copy_(at::tensor({-50.0, 50.0, 0.0}, at::kDouble));
  }
  const at::Tensor sampled = path(mutator, mutator.export_architecture());
  EXPECT_TRUE(at::allclose(output(), sampled, 1e-9, 1e-9));
}

TEST_F(ValueChoices, RunInOneSizeForwardAndTrainTheirAlphasByGumbel) {
  GdasMutator mutator(*network_, {.alphas = {.alpha_scale = 1, .seed = 3}});
  mutator.set_progress(0.9);
  for (int i = 0; i < 5; ++i) {
    mutator.reset();
    const Architecture held = mutator.current();
    for (const auto& [label, decision] : held) {
      EXPECT_EQ(decision.chosen.size(), 1) << label;
    }
    Network frozen = inherit(network_, held);
    EXPECT_TRUE(at::allclose(output(), frozen->forward(normal_tensor({6, 5}, 3)), 1e-10, 1e-10));
    const std::vector<at::Tensor> gradients = torch::autograd::grad({loss()}, mutator.parameters());
    for (const at::Tensor& gradient : gradients) {
      EXPECT_GT(gradient.abs().max().item<double>(), 1e-9);
      EXPECT_NEAR(gradient.sum().item<double>(), 0, 1e-9);
    }
  }
}

TEST_F(ValueChoices, AreBlendedByGumbelSoftmaxWhereItIsSoft) {
  GdasMutator mutator(*network_, {.alphas = {.alpha_scale = 1, .seed = 3},
                                  .first_temperature = 2,
                                  .last_temperature = 2,
                                  .hard = false});
  mutator.reset();
  expect_true_gradients(mutator);
}

TEST_F(ValueChoices, OpenOneOfTwoGatesInAnArchitectureStepOfProxyless) {
  ProxylessMutator mutator(*network_, {.alpha_scale = 0.7, .seed = 4});
  for (int i = 0; i < 10; ++i) {
    mutator.apply(mutator.sample_architecture_step());
    Architecture open;
    for (const Mutable& choice : mutator.mutables()) {
      const at::Tensor gates = mutator.weights(choice);
      ASSERT_EQ(gates.numel(), 2);
      const std::vector<int64_t>& pair = mutator.current().at(choice.label).chosen;
      open[choice.label].chosen = {pair[gates[0].item<double>() == 1 ? 0 : 1]};
    }
    const at::Tensor blended = output();
    for (const at::Tensor& gradient : torch::autograd::grad({loss()}, mutator.parameters())) {
      EXPECT_NEAR(gradient.sum().item<double>(), 0, 1e-9);
    }
    EXPECT_TRUE(at::allclose(blended, path(mutator, open), 1e-10, 1e-10));
  }
  mutator.reset();
  EXPECT_EQ(mutator.current().at("width").chosen.size(), 1);
}

TEST_F(ValueChoices, AreDecidedByTheControllerOfEnas) {
  EnasMutator mutator(*network_, {.lstm_size = 8, .seed = 4});
  std::set<int64_t> widths;
  for (int i = 0; i < 40; ++i) {
    mutator.reset();
    widths.insert(mutator.current().at("width").chosen.front());
    EXPECT_EQ(output().size(1), 2);
  }
  EXPECT_EQ(widths.size(), 3);
  // Each decision is between three, and is nearly uniform at the beginning.
  EXPECT_NEAR(mutator.log_prob().item<double>(), 3 * std::log(1.0 / 3), 0.1);
  EXPECT_NEAR(mutator.entropy().item<double>(), 3 * std::log(3.0), 0.1);
  const auto parameters = mutator.named_parameters();
  EXPECT_THAT(parameters["logits/width"].sizes(), ElementsAre(3, 8));
  const at::Tensor gradient =
      torch::autograd::grad({mutator.log_prob()}, {parameters["logits/width"]}).front();
  EXPECT_GT(gradient.abs().max().item<double>(), 1e-6);
}

}  // namespace
}  // namespace retia
