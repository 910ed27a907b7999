#include "retia/trainers/one_shot/penalty.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/scalar_tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>

#include "retia/engine/cost/latency_table.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/gdas.h"
#include "retia/mutators/proxyless.h"
#include "retia/mutators/spos.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

at::Tensor number(double value) { return at::scalar_tensor(value, at::kDouble); }

double penalised_number(double value, double cost, const PenaltyOptions& options) {
  return penalised(number(value), number(cost), options).item<double>();
}

TEST(Penalised, IsTheFormula) {
  const auto with = [](PenaltyForm form, PenaltyShape shape, double scale) {
    return PenaltyOptions{.baseline = 100, .scale = scale, .form = form, .shape = shape};
  };
  const auto add = [&](PenaltyShape shape) { return with(PenaltyForm::Add, shape, 0.2); };
  const auto mul = [&](PenaltyShape shape, double scale) {
    return with(PenaltyForm::Mul, shape, scale);
  };
  using Shape = PenaltyShape;
  EXPECT_DOUBLE_EQ(penalised_number(2, 150, add(Shape::Linear)), 2.1);
  EXPECT_DOUBLE_EQ(penalised_number(2, 50, add(Shape::Linear)), 1.9);
  EXPECT_DOUBLE_EQ(penalised_number(2, 150, add(Shape::Positive)), 2.1);
  EXPECT_DOUBLE_EQ(penalised_number(2, 50, add(Shape::Positive)), 2);
  EXPECT_DOUBLE_EQ(penalised_number(2, 150, add(Shape::Negative)), 2);
  EXPECT_DOUBLE_EQ(penalised_number(2, 50, add(Shape::Negative)), 1.9);
  EXPECT_DOUBLE_EQ(penalised_number(2, 50, add(Shape::Absolute)), 2.1);
  EXPECT_DOUBLE_EQ(penalised_number(2, 0, add(Shape::Linear)), 1.8);
  EXPECT_DOUBLE_EQ(penalised_number(2, 150, mul(Shape::Linear, 2)), 4.5);
  EXPECT_DOUBLE_EQ(penalised_number(2, 50, mul(Shape::Positive, 2)), 2);
  // MnasNet, on a reward: 0.75 (80 / 100)^-0.07.
  EXPECT_DOUBLE_EQ(penalised_number(0.75, 80, mul(Shape::Linear, -0.07)),
                   0.75 * std::pow(0.8, -0.07));
  // ProxylessNAS: CE (log 150 / log 100)^0.6.
  EXPECT_DOUBLE_EQ(penalised_number(2, 150, mul(Shape::Log, 0.6)),
                   2 * std::pow(std::log(150) / std::log(100), 0.6));
}

TEST(Penalised, RefusesCostsThatHaveNoPowerOrLogarithm) {
  PenaltyOptions options{
      .baseline = 10, .scale = -0.5, .form = PenaltyForm::Mul, .shape = PenaltyShape::Linear};
  EXPECT_THAT(error_of([&] { penalised_number(1, 0, options); }), HasSubstr("use the form add"));
  options.shape = PenaltyShape::Log;
  EXPECT_THAT(error_of([&] { penalised_number(1, 1, options); }), HasSubstr("is not above 1"));
}

/// A table of made-up latencies of everything in `space`, in `file`.
void write_latencies(const ir::Graph& space, const std::string& file,
                     const LatencyConditions& conditions = {}) {
  LatencyTable table(conditions);
  const ir::ExpectedCost walk(
      space, [&](const ir::Operation& operation, const std::vector<Shape>& inputs) {
        table.set(operation, inputs, {.milliseconds = 2.0 + static_cast<double>(table.size())});
        return 0.0;
      });
  table.write(file);
}

enum class Kind { Darts, Gdas, Proxyless };

std::unique_ptr<AlphaMutator> make_mutator(Kind kind, const SearchSetup& setup) {
  const AlphaOptions alphas = {.alpha_scale = 0.5, .seed = 7};
  switch (kind) {
    case Kind::Darts:
      return std::make_unique<DartsMutator>(*setup.network, alphas);
    case Kind::Gdas:
      return std::make_unique<GdasMutator>(*setup.network, GdasMutatorOptions{.alphas = alphas});
    default:
      return std::make_unique<ProxylessMutator>(*setup.network, alphas);
  }
}

class GradientOfAPenalty
    : public testing::TestWithParam<std::tuple<Kind, PenaltyForm, PenaltyShape>> {};

// A latency that is made anew as a number, and not through the alphas, would train nothing: this
// fails then, as there is no gradient.
TEST_P(GradientOfAPenalty, ReachesEveryAlphaAndEqualsFiniteDifferences) {
  const auto& [kind, form, shape] = GetParam();
  const TemporaryFolder folder;
  const std::string file = folder / "latency.json";
  SearchSetup setup = double_search();
  setup.warn = [](const std::string&) {};
  write_latencies(stripes_space(), file);
  const auto mutator = make_mutator(kind, setup);
  const LossPenalty penalty(
      {.cost = CostMeasure::Latency, .table = file, .scale = 0.7, .form = form, .shape = shape},
      setup, *mutator);
  const at::Tensor loss = number(1.25);
  for (const char* label : {"op", "mixed"}) {
    const at::Tensor alpha = mutator->alpha(label);
    const at::Tensor penalised_loss = penalty(loss);
    ASSERT_TRUE(penalised_loss.requires_grad());
    const at::Tensor gradient = torch::autograd::grad({penalised_loss}, {alpha}).front();
    const at::NoGradGuard no_grad;
    for (int64_t k = 0; k < alpha.size(0); ++k) {
      constexpr double kStep = 1e-5;
      alpha[k] += kStep;
      const double above = penalty(loss).item<double>();
      alpha[k] -= 2 * kStep;
      const double below = penalty(loss).item<double>();
      alpha[k] += kStep;
      const double expected = (above - below) / (2 * kStep);
      EXPECT_GT(std::abs(expected), 1e-4) << label << " " << k;
      EXPECT_NEAR(gradient[k].item<double>(), expected, 1e-7) << label << " " << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, GradientOfAPenalty,
                         testing::Combine(testing::Values(Kind::Darts, Kind::Gdas, Kind::Proxyless),
                                          testing::Values(PenaltyForm::Add, PenaltyForm::Mul),
                                          testing::Values(PenaltyShape::Linear,
                                                          PenaltyShape::Absolute,
                                                          PenaltyShape::Log)));

TEST(LossPenalty, AddsItsGradientToThatOfTheLossInBothOrders) {
  const SearchSetup setup = double_search();
  DartsMutator mutator(*setup.network, {.seed = 3});
  mutator.reset();
  const Batch train = setup.train.batch(0, 0), valid = setup.valid.batch(0, 0);
  const PenaltyOptions penalty = {.cost = CostMeasure::MultiplyAdds, .scale = 3};
  const std::vector<at::Tensor> alphas = {mutator.alpha("mixed"), mutator.alpha("op")};
  const auto alone =
      torch::autograd::grad({LossPenalty(penalty, setup, mutator)(number(0))}, alphas);
  for (const int64_t order : {1, 2}) {
    const std::vector<at::Tensor> without =
        BilevelTrainer(setup, mutator, {.order = order}).alpha_gradients(train, valid).values;
    const std::vector<at::Tensor> with =
        BilevelTrainer(setup, mutator, {.order = order, .penalty = penalty})
            .alpha_gradients(train, valid)
            .values;
    for (size_t i = 0; i < with.size(); ++i) {
      EXPECT_GT(alone[i].abs().max().item<double>(), 1e-3);
      EXPECT_TRUE(at::allclose(with[i], without[i] + alone[i], 1e-6, 1e-9)) << order;
    }
  }
}

TEST(LossPenalty, ExpectsWhatDrawnArchitecturesCost) {
  const SearchSetup setup = double_search();
  DartsMutator mutator(*setup.network, {.alpha_scale = 1, .seed = 4});
  const ir::ExpectedCost cost(stripes_space(), ir::multiply_adds_of);
  const auto p = mutator.probabilities();
  double sum = 0;
  for (int64_t op = 0; op < 4; ++op) {
    for (int64_t mixed = 0; mixed < 2; ++mixed) {
      sum += p.at("op")[static_cast<size_t>(op)] * p.at("mixed")[static_cast<size_t>(mixed)] *
             cost.of({{"op", {{op}}}, {"mixed", {{mixed}}}});
    }
  }
  EXPECT_NEAR(cost(mutator.decision_probabilities()).item<double>(), sum, 1e-9 * sum);
}

TEST(LossPenalty, TakesSetsOfInputsInProportionToTheirAlphas) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  std::vector<Wire> edges;
  for (int64_t kernel : {1, 3, 5}) {
    edges.push_back(b.layer_choice(
        "op" + std::to_string(kernel),
        {{"conv", ops::conv2d({.kernel = kernel})}, {"skip", ops::identity()}}, {x}));
  }
  b.output("y", b.input_choice("node", edges, {.n_chosen = 2}));
  Network network(b.finish(), 1);
  network->to(at::kDouble);
  // With alphas of its own …
  const DartsMutator edge_mutator(*network, {.alpha_scale = 1, .seed = 2, .edge_alphas = true});
  const at::Tensor alpha = edge_mutator.alpha("node");
  const at::Tensor p = edge_mutator.decision_probabilities().at("node");
  ASSERT_EQ(p.size(0), 3);
  EXPECT_NEAR(p.sum().item<double>(), 1, 1e-12);
  // … {0, 1} against {1, 2} is e^(a_0 - a_2).
  EXPECT_NEAR((p[0] / p[2]).item<double>(), (alpha[0] - alpha[2]).exp().item<double>(), 1e-9);
}

TEST(LossPenalty, TakesSetsOfInputsAlikeWithoutAlphas) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  std::vector<Wire> edges;
  for (const char* name : {"a", "b", "c"}) {
    edges.push_back(
        b.layer_choice(name, {{"conv", ops::conv2d({})}, {"skip", ops::identity()}}, {x}));
  }
  b.output("y", b.input_choice("node", edges, {.n_chosen = 2}));
  Network network(b.finish(), 1);
  network->to(at::kDouble);
  const DartsMutator mutator(*network, {.alpha_scale = 0});
  // Two of three edges, each half a convolution of 576 multiply-adds.
  const ir::ExpectedCost cost(network->graph(), ir::multiply_adds_of);
  EXPECT_NEAR(cost(mutator.decision_probabilities()).item<double>(), 576, 1e-9);
  EXPECT_NEAR(cost.mean(), 576, 1e-9);
}

TEST(RewardPenalty, TakesWhatTheArchitectureCosts) {
  const SearchSetup setup = double_search();
  EXPECT_EQ(RewardPenalty()(0.5, planted()), 0.5);
  const ir::ExpectedCost cost(stripes_space(), ir::parameters_of);
  const RewardPenalty penalty({.cost = CostMeasure::Parameters, .baseline = 100, .scale = -0.25},
                              setup);
  EXPECT_DOUBLE_EQ(penalty(0.5, planted()), 0.5 - 0.25 * (cost.of(planted()) / 100 - 1));
  EXPECT_LT(penalty(0.5, planted()), penalty(0.5, {{"op", {{0}}}, {"mixed", {{0}}}}));
}

TEST(Penalties, RefuseWhatMakesNoSense) {
  const SearchSetup setup = double_search();
  const auto on_loss = [&](const PenaltyOptions& options) {
    return error_of([&] {
      const DartsMutator mutator(*setup.network, {});
      LossPenalty(options, setup, mutator);
    });
  };
  constexpr CostMeasure kAdds = CostMeasure::MultiplyAdds;
  EXPECT_EQ(on_loss({}), "(no error)");
  EXPECT_THAT(on_loss({.cost = kAdds}), HasSubstr("scale must be above 0, got 0"));
  EXPECT_THAT(on_loss({.cost = kAdds, .scale = -1}), HasSubstr("minimises a loss"));
  EXPECT_THAT(on_loss({.cost = kAdds, .baseline = -1, .scale = 1}),
              HasSubstr("algorithm.penalty.baseline must be at least 0"));
  EXPECT_THAT(on_loss({.cost = kAdds, .baseline = 1, .scale = 1, .shape = PenaltyShape::Log}),
              HasSubstr("needs a baseline above 1"));
  EXPECT_THAT(on_loss({.cost = CostMeasure::Latency, .scale = 1}),
              HasSubstr("`retia profile --space stripes --table FILE`"));
  EXPECT_THAT(error_of([&] { RewardPenalty({.cost = kAdds, .scale = 1}, setup); }),
              HasSubstr("maximises a reward: scale must be below 0, got 1"));
  EXPECT_THAT(error_of([&] {
                const SposMutator mutator(*setup.network, {});
                LossPenalty({.cost = kAdds, .scale = 1}, setup, mutator);
              }),
              HasSubstr("needs a mutator that tells how likely its decisions are"));
}

TEST(Penalties, WarnOfATableThatWasMeasuredElsewhere) {
  const TemporaryFolder folder;
  const std::string file = folder / "latency.json";
  SearchSetup setup = double_search();
  std::vector<std::string> warnings;
  setup.warn = [&](const std::string& line) { warnings.push_back(line); };
  const PenaltyOptions options = {.cost = CostMeasure::Latency, .table = file, .scale = -1};
  write_latencies(stripes_space(), file, conditions_here(at::kCPU, at::kDouble, 32));
  RewardPenalty(options, setup);
  EXPECT_EQ(warnings.size(), 0);
  write_latencies(stripes_space(), file, {.device = "cuda", .hardware = "Abacus"});
  RewardPenalty(options, setup);
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_THAT(warnings.front(),
              AllOf(HasSubstr("was measured on cuda (Abacus), fp32, 1 thread, batch 1"),
                    HasSubstr("this search runs on cpu")));
}

}  // namespace
}  // namespace retia
