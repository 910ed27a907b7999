#include "mutators/strategies/controller.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

namespace retia {
namespace {

const std::vector<int64_t> kSizes = {2, 3, 2};

/// Moved away from its beginning, where all decisions are alike.
Controller trained(int64_t size = 4) {
  Controller controller(kSizes, size, 1);
  for (int i = 0; i < 5; ++i) {
    controller.ascend(controller.terms({1, 2, 0}).log_prob, 0.2);
  }
  return controller;
}

template <class Visit>
void for_each_decision(const Visit& visit) {
  for (int64_t a = 0; a < 2; ++a) {
    for (int64_t b = 0; b < 3; ++b) {
      for (int64_t c = 0; c < 2; ++c) {
        visit(Categories{a, b, c});
      }
    }
  }
}

double log_prob(const Controller& controller, const Categories& decided) {
  return controller.terms(decided).log_prob.item<double>();
}

TEST(Controller, FindsAllDecisionsAsLikelyAtFirst) {
  const Controller controller(kSizes, 4, 1);
  for_each_decision([&](const Categories& decided) {
    EXPECT_NEAR(log_prob(controller, decided), -std::log(12), 1e-12);
    EXPECT_NEAR(controller.terms(decided).entropy.item<double>(), std::log(12), 1e-12);
  });
}

TEST(Controller, IsADistributionWhoseEntropyIsThatOfItsTerms) {
  const Controller controller = trained();
  double sum = 0, entropy = 0, by_terms = 0;
  for_each_decision([&](const Categories& decided) {
    const double log_p = log_prob(controller, decided);
    sum += std::exp(log_p);
    entropy -= std::exp(log_p) * log_p;
    by_terms += std::exp(log_p) * controller.terms(decided).entropy.item<double>();
  });
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_NEAR(entropy, by_terms, 1e-12);
  EXPECT_GT(log_prob(controller, {1, 2, 0}), -std::log(12));
}

TEST(Controller, SamplesAsItSays) {
  const Controller controller = trained();
  Random random(3);
  std::map<std::vector<std::optional<int64_t>>, int> counts;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    ++counts[controller.sample(random)];
  }
  for_each_decision([&](const Categories& decided) {
    const double p = std::exp(log_prob(controller, decided));
    EXPECT_NEAR(counts[decided], kDraws * p, 4 * std::sqrt(kDraws * p) + 1);
  });
}

// A decision that is not made has no term, and tells those after it nothing.
TEST(Controller, GoesOnPastDecisionsThatAreNotMade) {
  const Controller controller = trained();
  double sum = 0;
  for (int64_t a = 0; a < 2; ++a) {
    for (int64_t c = 0; c < 2; ++c) {
      sum += std::exp(log_prob(controller, {a, std::nullopt, c}));
    }
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(Controller, HasTheGradientOfFiniteDifferences) {
  const Controller controller = trained(3);
  const Categories decided = {0, 2, 1};
  const auto objective = [&] {
    const ControllerTerms terms = controller.terms(decided);
    return 0.7 * terms.log_prob + 0.1 * terms.entropy;
  };
  const auto gradients =
      torch::autograd::grad({objective()}, controller.parameters(), {}, false, false, true);
  constexpr double kStep = 1e-6;
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < gradients.size(); ++i) {
    auto* weights = controller.parameters()[i].mutable_data_ptr<double>();
    for (int64_t k = 0; k < controller.parameters()[i].numel(); ++k) {
      const double before = weights[k];
      weights[k] = before + kStep;
      const double above = objective().item<double>();
      weights[k] = before - kStep;
      const double below = objective().item<double>();
      weights[k] = before;
      const double expected = (above - below) / (2 * kStep);
      const double found =
          gradients[i].defined() ? gradients[i].contiguous().const_data_ptr<double>()[k] : 0;
      EXPECT_NEAR(found, expected, 1e-8) << i << ", " << k;
    }
  }
}

// Adam's first step is lr in the direction of the gradient, whatever its size.
TEST(Controller, StepsByAdam) {
  Controller controller(kSizes, 4, 1);
  std::vector<at::Tensor> before;
  for (const at::Tensor& parameter : controller.parameters()) {
    before.push_back(parameter.detach().clone());
  }
  const at::Tensor objective = controller.terms({1, 2, 0}).log_prob;
  const auto gradients =
      torch::autograd::grad({objective}, controller.parameters(), {}, true, false, true);
  controller.ascend(objective, 0.25);
  for (size_t i = 0; i < before.size(); ++i) {
    const at::Tensor gradient = gradients[i].defined() ? gradients[i] : at::zeros_like(before[i]);
    const at::Tensor expected = before[i] + 0.25 * gradient / (gradient.abs() + 1e-8);
    EXPECT_TRUE(at::allclose(controller.parameters()[i].detach(), expected, 1e-6, 1e-9)) << i;
  }
}

TEST(Controller, ContinuesFromItsState) {
  Controller first = trained();
  Controller second(kSizes, 4, 9);
  second.load_state(Json::parse(first.state().dump()));
  for (Controller* controller : {&first, &second}) {
    controller->ascend(controller->terms({0, 0, 1}).log_prob, 0.1);
  }
  EXPECT_EQ(first.state(), second.state());
}

}  // namespace
}  // namespace retia
