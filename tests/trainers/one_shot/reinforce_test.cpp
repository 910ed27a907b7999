#include "retia/trainers/one_shot/reinforce.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "retia/engine/executor/network.h"
#include "retia/mutators/enas.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/trainers/gradients.h"
#include "retia/trainers/optimizer.h"

namespace retia {
namespace {

using testing::HasSubstr;

constexpr PolicyGradientOptions kRewardOnly = {.entropy_weight = 0, .penalty_weight = 0};

/// A choice of one of `n` arms.
Network bandit(int64_t n) {
  Builder b("bandit");
  std::vector<ir::CandidateWriter> arms;
  for (int64_t k = 0; k < n; ++k) {
    arms.emplace_back("arm" + std::to_string(k), ops::identity());
  }
  b.output("y", b.layer_choice("arm", arms, {b.input("x", {1})}));
  return Network(b.finish(), 1);
}

/// A choice of an arm, and of any of two inputs.
Network with_skip() {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  const Wire op = b.layer_choice("op", {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x});
  b.output("y", b.input_choice("any", {x, op}, {.n_chosen = std::nullopt}));
  Network network(b.finish(), 1);
  network->to(at::kDouble);
  return network;
}

TEST(Reinforce, MovesItsBaselineBeforeItTakesTheAdvantage) {
  Network network = bandit(2);
  EnasMutator policy(*network, {});
  Reinforce reinforce(kRewardOnly);
  EXPECT_EQ(reinforce.baseline(), 0);
  const at::Tensor loss = reinforce.loss(policy, 1, [] { return 1.0; });
  EXPECT_NEAR(reinforce.baseline(), 0.001, 1e-15);
  EXPECT_NEAR(loss.item<double>(), -0.999 * policy.log_prob().item<double>(), 1e-6);
  reinforce.loss(policy, 1, [] { return 0.5; });
  EXPECT_NEAR(reinforce.baseline(), 0.999 * 0.001 + 0.001 * 0.5, 1e-15);
}

TEST(Reinforce, AveragesOverWhatItSamplesAndAddsEntropyAndPenalty) {
  Network network = with_skip();
  EnasMutator policy(*network, {.lstm_size = 4, .seed = 2});
  const PolicyGradientOptions options = {
      .entropy_weight = 0.3, .penalty_weight = 0.7, .baseline_decay = 0.9};
  Reinforce reinforce(options);
  reinforce.set_baseline(0.2);
  std::vector<Architecture> sampled;
  const at::Tensor loss = reinforce.loss(policy, 3, [&] {
    sampled.push_back(policy.current());
    return 0.25 * static_cast<double>(sampled.size());
  });
  ASSERT_EQ(sampled.size(), 3);
  double baseline = 0.2;
  at::Tensor expected;
  for (size_t i = 0; i < 3; ++i) {
    const PolicyTerms terms = policy.terms(sampled[i]);
    const double reward = 0.25 * static_cast<double>(i + 1) + 0.3 * terms.entropy.item<double>();
    baseline += 0.1 * (reward - baseline);
    const at::Tensor one = (baseline - reward) * terms.log_prob + 0.7 * terms.penalty;
    expected = expected.defined() ? expected + one : one;
  }
  EXPECT_NEAR(reinforce.baseline(), baseline, 1e-12);
  EXPECT_NEAR(loss.item<double>(), expected.item<double>() / 3, 1e-12);
  const Gradients found = gradients(loss, policy.parameters());
  const Gradients wanted = gradients(expected / 3, policy.parameters());
  for (size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_TRUE(at::allclose(found.values[i], wanted.values[i], 1e-9, 1e-14));
  }
}

TEST(Reinforce, FindsTheBestOfSevenArms) {
  const OneThread one_thread;
  const std::vector<double> rewards = {0.2, 0.5, 0.3, 0.9, 0.1, 0.6, 0.4};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Network network = bandit(7);
    EnasMutator policy(*network, {.tanh_constant = 2.5, .seed = seed});
    Reinforce reinforce({.penalty_weight = 0});
    Optimizer optimizer = Optimizer::adam(
        named_parameters(policy), {.lr = 0.01, .beta1 = 0.9, .beta2 = 0.999, .weight_decay = 0});
    for (int i = 0; i < 50; ++i) {
      const at::Tensor loss = reinforce.loss(policy, 20, [&] {
        return rewards[static_cast<size_t>(policy.current().at("arm").chosen.front())];
      });
      Gradients found = gradients(loss, optimizer.parameters());
      clip_norm(found, 5);
      optimizer.step(found);
    }
    const double best = std::exp(policy.terms({{"arm", {{3}}}}).log_prob.item<double>());
    EXPECT_GT(best, 0.9) << "seed " << seed;
    EXPECT_EQ(policy.export_architecture(), Architecture({{"arm", {{3}}}}));
  }
}

TEST(Reinforce, RefusesOptionsOutOfRange) {
  EXPECT_THAT(error_of([] { Reinforce({.entropy_weight = -1}); }),
              HasSubstr("entropy_weight must be at least 0, got -1"));
  EXPECT_THAT(error_of([] { Reinforce({.penalty_weight = -1}); }),
              HasSubstr("skip_weight must be at least 0, got -1"));
  EXPECT_THAT(error_of([] { Reinforce({.baseline_decay = 1.5}); }),
              HasSubstr("baseline_decay must be in 0 to 1, got 1.5"));
}

}  // namespace
}  // namespace retia
