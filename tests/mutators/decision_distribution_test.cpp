#include "retia/mutators/decision_distribution.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>

#include "retia/tests/error_of.h"
#include "retia/tests/mutators/chi_square.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<double> kLogits = {0.7, -1.2, 0.1, 1.6, -0.4};

at::Tensor logits() { return at::tensor(kLogits, at::kDouble); }

/// All decisions of some number of kLogits with their probabilities, by the definition.
std::map<std::vector<int64_t>, double> probabilities(std::optional<int64_t> n_chosen) {
  std::map<std::vector<int64_t>, double> found;
  double total = 0;
  for (uint64_t bits = 0; bits < 1u << kLogits.size(); ++bits) {
    std::vector<int64_t> chosen;
    double weight = 1;
    for (size_t i = 0; i < kLogits.size(); ++i) {
      const bool is_chosen = (bits >> i & 1) == 1;
      if (is_chosen) {
        chosen.push_back(static_cast<int64_t>(i));
      }
      weight *= n_chosen ? (is_chosen ? std::exp(kLogits[i]) : 1)
                         : std::exp(is_chosen ? kLogits[i] : -kLogits[i]);
    }
    if (!n_chosen || static_cast<int64_t>(chosen.size()) == *n_chosen) {
      found[chosen] = weight;
      total += weight;
    }
  }
  for (auto& [chosen, weight] : found) {
    weight /= total;
  }
  return found;
}

const std::vector<std::optional<int64_t>> kNumbers = {std::nullopt, 0, 1, 2, 3, 4, 5};

TEST(DecisionDistribution, HasTheProbabilitiesAndTheEntropyOfItsDefinition) {
  for (const std::optional<int64_t> n_chosen : kNumbers) {
    const DecisionDistribution distribution(logits(), n_chosen);
    double entropy = 0;
    for (const auto& [chosen, p] : probabilities(n_chosen)) {
      EXPECT_NEAR(distribution.log_prob(chosen).item<double>(), std::log(p), 1e-12);
      entropy -= p * std::log(p);
    }
    EXPECT_NEAR(distribution.entropy().item<double>(), entropy, 1e-12) << n_chosen.value_or(-1);
  }
}

TEST(DecisionDistribution, IsSampledAsOftenAsItsProbabilitiesSay) {
  Random random(3);
  for (const std::optional<int64_t> n_chosen : kNumbers) {
    const DecisionDistribution distribution(logits(), n_chosen);
    std::map<std::vector<int64_t>, int64_t> counts;
    for (int i = 0; i < 5000; ++i) {
      ++counts[distribution.sample(random)];
    }
    const auto expected = probabilities(n_chosen);
    if (expected.size() == 1) {
      EXPECT_EQ(counts.size(), 1);
      EXPECT_EQ(counts.begin()->first, expected.begin()->first);
    } else {
      EXPECT_LT(strangeness(counts, expected), 5) << n_chosen.value_or(-1);
    }
  }
}

TEST(DecisionDistribution, HasTheLikeliestDecisionAsItsMode) {
  for (const std::optional<int64_t> n_chosen : kNumbers) {
    std::vector<int64_t> likeliest;
    double most = 0;
    for (const auto& [chosen, p] : probabilities(n_chosen)) {
      likeliest = p > most ? chosen : likeliest;
      most = std::max(most, p);
    }
    EXPECT_EQ(DecisionDistribution(logits(), n_chosen).mode(), likeliest);
  }
  EXPECT_THAT(DecisionDistribution(at::zeros({4}), 2).mode(), ElementsAre(0, 1));
  EXPECT_THAT(DecisionDistribution(at::zeros({4}), std::nullopt).mode(), IsEmpty());
}

TEST(DecisionDistribution, HasTheGradientsThatFiniteDifferencesGive) {
  constexpr double kStep = 1e-6;
  for (const std::optional<int64_t> n_chosen : kNumbers) {
    const std::vector<int64_t> chosen = probabilities(n_chosen).rbegin()->first;
    for (const int what : {0, 1, 2}) {
      const auto value = [&](const at::Tensor& q) {
        const DecisionDistribution distribution(q, n_chosen);
        return what == 0   ? distribution.log_prob(chosen)
               : what == 1 ? distribution.entropy()
                           : distribution.divergence(0.3);
      };
      const at::Tensor q = logits().requires_grad_();
      const at::Tensor at_q = value(q);
      if (!at_q.defined() || !at_q.requires_grad()) {
        continue;
      }
      const at::Tensor gradient = torch::autograd::grad({at_q}, {q}).front();
      const at::NoGradGuard no_grad;
      for (int64_t i = 0; i < q.size(0); ++i) {
        const at::Tensor above = logits(), below = logits();
        above[i] += kStep;
        below[i] -= kStep;
        const double expected =
            (value(above).item<double>() - value(below).item<double>()) / (2 * kStep);
        EXPECT_NEAR(gradient[i].item<double>(), expected, 1e-8)
            << n_chosen.value_or(-1) << " " << what << " " << i;
      }
    }
  }
}

TEST(DecisionDistribution, IsAFairCoinAtLogitZero) {
  const DecisionDistribution coin(at::zeros({1}, at::kDouble), std::nullopt);
  EXPECT_NEAR(coin.entropy().item<double>(), std::log(2), 1e-12);
  const auto log_p = coin.log_prob({0}).item<double>();
  EXPECT_NEAR(-std::exp(log_p) * log_p, 0.34657, 1e-5);
  EXPECT_EQ(coin.log_prob({}).item<double>(), log_p);
  const DecisionDistribution pair(at::zeros({2}, at::kDouble), 1);
  EXPECT_NEAR(pair.entropy().item<double>(), std::log(2), 1e-12);
  EXPECT_NEAR(pair.log_prob({1}).item<double>(), log_p, 1e-12);
}

TEST(DecisionDistribution, DivergesFromTheTargetByTheKullbackLeiblerDivergence) {
  const auto divergence = [](double logit, int64_t n) {
    const at::Tensor q = at::full({n}, logit, at::kDouble);
    return DecisionDistribution(q, std::nullopt).divergence(0.4).item<double>();
  };
  EXPECT_NEAR(divergence(0, 1), 0.02041, 5e-6);
  EXPECT_NEAR(divergence(0, 3), 3 * 0.0204110, 1e-6);
  EXPECT_NEAR(divergence(std::log(0.4 / 0.6) / 2, 2), 0, 1e-15);  // p is the target
  EXPECT_FALSE(DecisionDistribution(logits(), 2).divergence(0.4).defined());
}

TEST(DecisionDistribution, StaysFiniteWhereDecisionsAreCertain) {
  const at::Tensor q = at::tensor({300.0, -300.0, 0.0, 250.0}, at::kFloat).requires_grad_();
  for (const std::optional<int64_t> n_chosen : {std::optional<int64_t>(), {1}, {2}, {3}}) {
    const DecisionDistribution distribution(q, n_chosen);
    at::Tensor sum = distribution.log_prob(distribution.mode()) + distribution.entropy();
    if (!n_chosen) {
      sum = sum + distribution.divergence(0.4);
    }
    EXPECT_TRUE(sum.isfinite().item<bool>());
    EXPECT_TRUE(torch::autograd::grad({sum}, {q}).front().isfinite().all().item<bool>());
  }
}

TEST(DecisionDistribution, RefusesWhatItCannotDecide) {
  EXPECT_THAT(error_of([] {
                DecisionDistribution(at::zeros({2, 2}), 1);
              }),
              HasSubstr("expected [n], got [2, 2]"));
  EXPECT_THAT(error_of([] { DecisionDistribution(at::zeros({2}), 3); }),
              HasSubstr("n_chosen must be in 0 to 2, got 3"));
  EXPECT_THAT(error_of([] { DecisionDistribution(at::zeros({3}), 2).log_prob({1}); }),
              HasSubstr("expected 2 chosen candidates, got 1"));
}

}  // namespace
}  // namespace retia
