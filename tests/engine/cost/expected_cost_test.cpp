#include "retia/engine/cost/expected_cost.h"

#include <ATen/ops/rand.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "retia/engine/cost/profile.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::HasSubstr;

/// A cost that every primitive has, and that depends on what it is and reads.
double odd_cost(const Operation& operation, const std::vector<Shape>& inputs) {
  double cost =
      static_cast<double>(operation.type().size()) + 10 * static_cast<double>(inputs.size());
  for (const Shape& input : inputs) {
    for (const Dim& dim : input) {
      cost = 1.5 * cost + static_cast<double>(dim.value());
    }
  }
  return cost + static_cast<double>(operation.parameters().dump().size());
}

/// Every decision of `choice`: all sets where any number may be chosen.
std::vector<std::vector<int64_t>> all_decisions(const Mutable& choice) {
  if (choice.n_chosen) {
    return decisions_of(choice);
  }
  std::vector<std::vector<int64_t>> sets;
  for (int64_t bits = 0; bits < int64_t{1} << choice.n_candidates(); ++bits) {
    sets.emplace_back();
    for (int64_t k = 0; k < choice.n_candidates(); ++k) {
      if ((bits >> k & 1) != 0) {
        sets.back().push_back(k);
      }
    }
  }
  return sets;
}

/// What `p` says of one decision.
double probability_of(const Mutable& choice, const at::Tensor& p, size_t decision,
                      const std::vector<int64_t>& chosen) {
  if (choice.n_chosen) {
    return p[static_cast<int64_t>(decision)].item<double>();
  }
  double product = 1;
  for (int64_t k = 0; k < choice.n_candidates(); ++k) {
    const bool is_in = std::find(chosen.begin(), chosen.end(), k) != chosen.end();
    product *= is_in ? p[k].item<double>() : 1 - p[k].item<double>();
  }
  return product;
}

/// Every architecture of a space with its probability.
std::vector<std::pair<Architecture, double>> enumerated(const Graph& space,
                                                        const DecisionProbabilities& p) {
  std::vector<std::pair<Architecture, double>> all = {{{}, 1.0}};
  for (const Mutable& choice : mutables(space)) {
    const auto decisions = all_decisions(choice);
    std::vector<std::pair<Architecture, double>> next;
    for (size_t d = 0; d < decisions.size(); ++d) {
      const double likely = probability_of(choice, p.at(choice.label), d, decisions[d]);
      for (const auto& [begun, probability] : all) {
        next.emplace_back(begun, probability * likely);
        next.back().first[choice.label] = {decisions[d]};
      }
    }
    all = std::move(next);
  }
  return all;
}

/// Unequal probabilities in double.
DecisionProbabilities random_probabilities(const Graph& space, uint64_t seed) {
  Random random(seed);
  DecisionProbabilities p;
  for (const Mutable& choice : mutables(space)) {
    std::vector<double> values;
    double total = 0;
    const size_t n = choice.n_chosen ? decisions_of(choice).size() : choice.names.size();
    for (size_t i = 0; i < n; ++i) {
      values.push_back(0.1 + random.uniform());
      total += values.back();
    }
    for (double& value : values) {
      value /= choice.n_chosen ? total : 1.2;
    }
    p[choice.label] = at::tensor(values, at::kDouble);
  }
  return p;
}

/// Sizes that choices decide: a label in two places, a choice inside a candidate, sizes that follow
/// which candidate was chosen, a depth.
Graph sized_space() {
  Builder b("sized");
  const Dim width = ValueChoice<int64_t>("width", {4, 8});
  Wire x = b.input("image", {3, 8, 8});
  x = b.add("stem", block({.out = width}), {x});
  const auto narrow = [](Builder& inner, Wire y) {
    y = inner.add("squeeze", ops::conv2d({.out = 2, .kernel = 1}), {y});
    return inner.add("grow", ops::conv2d({.out = 6, .kernel = ValueChoice<int64_t>({1, 3})}), {y});
  };
  const Wire op =
      b.layer_choice("op",
                     {{"wide", ops::conv2d({.kernel = ValueChoice<int64_t>("kernel", {3, 5})})},
                      {"narrow", narrow}},
                     {x});
  const auto layer = [&](Builder& inner, Wire y) {
    return inner.add("layer", block({.kernel = ValueChoice<int64_t>("kernel", {3, 5})}), {y});
  };
  const Wire deep = b.repeat("deep", ValueChoice<int64_t>("depth", {0, 1, 2}), layer, op);
  const Wire taken = b.input_choice("taken", {x, deep});
  const Wire pooled = b.add("pooled", ops::global_mean(), {taken});
  b.output("logits", b.add("head", ops::linear({.out = width}), {pooled}));
  return b.finish();
}

/// Cells that share their decisions, each reading the two before it, so that whole cells may not be
/// reached.
Graph shared_cells_space() {
  Builder b("cells");
  Wire older = b.add("stem", ops::conv2d({.out = 4}), {b.input("image", {3, 6, 6})});
  Wire newer = older;
  for (int i = 0; i < 4; ++i) {
    const auto scope = b.scope("cell" + std::to_string(i));
    const auto labels = b.label_scope("cell");
    const Wire left = b.add("left", ops::conv2d({.kernel = 1}), {older});
    const Wire right = b.add("right", ops::conv2d({.kernel = 3}), {newer});
    const Wire read = b.input_choice("read", {left, right}, {.n_chosen = std::nullopt});
    const Wire op = b.layer_choice(
        "op", {{"conv", block()}, {"skip", ops::identity()}, {"none", ops::zero()}}, {read});
    older = std::exchange(newer, b.input_choice("out", {left, right, op}, {.n_chosen = 2}));
  }
  b.output("logits",
           b.add("head", ops::linear({.out = 2}), {b.add("mean", ops::global_mean(), {newer})}));
  return b.finish();
}

class ExpectedCosts : public testing::TestWithParam<Graph (*)()> {
 protected:
  const Graph space_ = GetParam()();
};

TEST_P(ExpectedCosts, EqualTheSumOverAllArchitectures) {
  const ExpectedCost odd(space_, odd_cost), adds(space_, multiply_adds_of),
      weights(space_, parameters_of);
  const DecisionProbabilities p = random_probabilities(space_, 3);
  double odd_sum = 0, adds_sum = 0, weights_sum = 0, likely = 0, mean = 0;
  const auto all = enumerated(space_, p);
  const size_t stride = 1 + all.size() / 400;  // freezing takes its time
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& [architecture, probability] = all[i];
    odd_sum += probability * odd.of(architecture);
    adds_sum += probability * adds.of(architecture);
    weights_sum += probability * weights.of(architecture);
    likely += probability;
    mean += odd.of(architecture) / static_cast<double>(all.size());
    if (i % stride != 0) {
      continue;
    }
    const Graph model = freeze(space_, canonical(space_, architecture));
    const double cost = total_cost(model, odd_cost);
    const Cost counted = total_cost(model);
    ASSERT_DOUBLE_EQ(odd.of(architecture), cost) << architecture.to_string();
    ASSERT_DOUBLE_EQ(odd.of(canonical(space_, architecture)), cost);
    ASSERT_EQ(adds.of(architecture), counted.multiply_adds.value());
    ASSERT_EQ(weights.of(architecture), counted.parameters.value());
  }
  EXPECT_NEAR(likely, 1, 1e-9);
  EXPECT_NEAR(odd(p).item<double>(), odd_sum, 1e-9 * odd_sum);
  EXPECT_NEAR(adds(p).item<double>(), adds_sum, 1e-9 * adds_sum);
  EXPECT_NEAR(weights(p).item<double>(), weights_sum, 1e-9 * weights_sum);
  EXPECT_NEAR(odd.mean(), mean, 1e-9 * mean);
}

TEST_P(ExpectedCosts, HaveTheGradientOfFiniteDifferences) {
  const ExpectedCost cost(space_, odd_cost);
  // Logits, so that probabilities stay probabilities.
  std::map<std::string, at::Tensor> logits;
  for (const auto& [label, p] : random_probabilities(space_, 4)) {
    logits[label] = p.log().requires_grad_();
  }
  const auto expected = [&] {
    DecisionProbabilities p;
    for (const Mutable& choice : mutables(space_)) {
      const at::Tensor& q = logits.at(choice.label);
      p[choice.label] = choice.n_chosen ? q.softmax(0) : q.sigmoid();
    }
    return cost(p);
  };
  for (const auto& [label, q] : logits) {
    const at::Tensor gradient = torch::autograd::grad({expected()}, {q}).front();
    const at::NoGradGuard no_grad;
    for (int64_t k = 0; k < q.size(0); ++k) {
      constexpr double kStep = 1e-5;
      q[k] += kStep;
      const double above = expected().item<double>();
      q[k] -= 2 * kStep;
      const double below = expected().item<double>();
      q[k] += kStep;
      EXPECT_NEAR(gradient[k].item<double>(), (above - below) / (2 * kStep), 1e-5 * above)
          << label << " " << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Spaces, ExpectedCosts,
                         testing::Values(&sized_space, &shared_cells_space, &every_choice_space));

TEST(ExpectedCost, ReachesEveryAlphaThatCosts) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  b.output("y", b.layer_choice("op", {{"skip", ops::identity()}, {"conv", ops::conv2d({})}}, {x}));
  const ExpectedCost cost(b.finish(), multiply_adds_of);
  // 2·2·9 weights on 16 pixels, half of the time; d/dα = ±576 p (1 - p).
  const at::Tensor alpha = at::tensor({0.0, 0.0}, at::kDouble).requires_grad_();
  const at::Tensor expected = cost({{"op", alpha.softmax(0)}});
  EXPECT_EQ(expected.item<double>(), 288);
  ASSERT_TRUE(expected.requires_grad());
  const at::Tensor gradient = torch::autograd::grad({expected}, {alpha}).front();
  EXPECT_EQ(gradient[0].item<double>(), -144);
  EXPECT_EQ(gradient[1].item<double>(), 144);
}

TEST(ExpectedCost, SaysWhatIsMissing) {
  const Graph space = sized_space();
  const ExpectedCost cost(space, multiply_adds_of);
  DecisionProbabilities p = random_probabilities(space, 1);
  Architecture architecture = enumerated(space, p).back().first;
  p["op"] = at::rand({3}, at::kDouble);
  EXPECT_THAT(error_of([&] { cost(p); }),
              HasSubstr("probabilities of 'op': expected [2], got [3]"));
  p.erase("op");
  EXPECT_THAT(error_of([&] { cost(p); }), HasSubstr("no probabilities are given for 'op'"));
  architecture["op"] = {{2}};
  EXPECT_THAT(error_of([&] { cost.of(architecture); }), HasSubstr("index 2 is outside"));
}

TEST(ExpectedCost, RefusesWhatItCannotList) {
  Mutable choice{.label = "many",
                 .kind = MutableKind::InputChoice,
                 .names = std::vector<std::string>(30, "x"),
                 .n_chosen = 10};
  EXPECT_THAT(error_of([&] { decisions_of(choice); }),
              HasSubstr("'many' chooses 10 of 30 candidates, in more than 4096 ways"));
  choice.n_chosen = 1;
  EXPECT_EQ(decisions_of(choice).size(), 30);
  choice.n_chosen = 0;
  EXPECT_EQ(decisions_of(choice), (std::vector<std::vector<int64_t>>{{}}));
  choice.names.resize(4);
  choice.n_chosen = 3;
  EXPECT_EQ(decisions_of(choice),
            (std::vector<std::vector<int64_t>>{{0, 1, 2}, {0, 1, 3}, {0, 2, 3}, {1, 2, 3}}));
  Builder b("net");
  b.output("y", b.placeholder("block", {.label = "later", .shape = {1}}, {b.input("x", {1})}));
  const Graph waiting = b.finish();
  EXPECT_THAT(error_of([&] { ExpectedCost(waiting, multiply_adds_of); }),
              HasSubstr("node 'block': it is a placeholder"));
  EXPECT_FALSE(ExpectedCost::listed(waiting, multiply_adds_of));
  EXPECT_TRUE(ExpectedCost::listed(sized_space(), multiply_adds_of));
}

TEST(ExpectedCost, RefusesAnOperationThatTooManyDecisionsDetermine) {
  Expression out = ValueChoice<int64_t>("w0", {1, 2});
  for (int i = 1; i < 13; ++i) {  // 2^13 joint decisions
    out = out + ValueChoice<int64_t>(std::string("w").append(std::to_string(i)), {1, 2});
  }
  Builder b("net");
  b.output("y", b.add("fc", ops::linear({.out = out}), {b.input("x", {1})}));
  const Graph space = b.finish();
  EXPECT_FALSE(ExpectedCost::listed(space, multiply_adds_of));
  EXPECT_THAT(error_of([&] { ExpectedCost(space, multiply_adds_of); }),
              HasSubstr("node 'fc': what 'linear' is and reads depends on more than 4096"));
}

}  // namespace
}  // namespace retia::ir
