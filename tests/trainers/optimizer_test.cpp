#include "retia/trainers/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

NamedTensors two_parameters() {
  return {{"a", doubles({1, -2}).requires_grad_(true)}, {"b", doubles({3}).requires_grad_(true)}};
}

void step(Optimizer& optimizer, const at::Tensor& a, const at::Tensor& b) {
  optimizer.step({optimizer.parameters(), {a, b}});
}

TEST(Optimizer, DescendsWithMomentumAndDecay) {
  const NamedTensors parameters = two_parameters();
  Optimizer sgd = Optimizer::sgd(
      parameters, {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .gradient_clip = 0});
  double w = 3;
  double momentum = 0;
  for (const double gradient : {1.0, -0.5, 2.0}) {
    step(sgd, doubles({0, 0}), doubles({gradient}));
    const double decayed = gradient + 0.01 * w;
    momentum = 0.9 * momentum + decayed;
    w -= 0.1 * momentum;
    EXPECT_NEAR(parameters.at("b").item<double>(), w, 1e-14);
  }
  EXPECT_FALSE(parameters.at("a").grad().defined());
  EXPECT_FALSE(parameters.at("b").grad().defined());
}

TEST(Optimizer, AdaptsAsAdamDoes) {
  const NamedTensors parameters = two_parameters();
  Optimizer adam =
      Optimizer::adam(parameters, {.lr = 0.1, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 0.001});
  double w = 3;
  double mean = 0;
  double square = 0;
  int t = 0;
  for (const double gradient : {1.0, -0.5, 2.0}) {
    step(adam, {}, doubles({gradient}));
    const double g = gradient + 0.001 * w;
    ++t;
    mean = 0.5 * mean + 0.5 * g;
    square = 0.999 * square + 0.001 * g * g;
    w -= 0.1 * (mean / (1 - std::pow(0.5, t))) /
         (std::sqrt(square / (1 - std::pow(0.999, t))) + 1e-8);
    EXPECT_NEAR(parameters.at("b").item<double>(), w, 1e-12);
  }
}

TEST(Optimizer, LeavesParametersWithoutAGradientAlone) {
  const NamedTensors parameters = two_parameters();
  Optimizer sgd = Optimizer::sgd(parameters, {.lr = 0.1});
  step(sgd, {}, doubles({1}));
  EXPECT_TRUE(at::equal(parameters.at("a"), doubles({1, -2})));
  EXPECT_EQ(sgd.state().count("a/momentum"), 0);
  EXPECT_EQ(sgd.state().count("b/momentum"), 1);
}

TEST(Optimizer, ClipsTheNormOfAllGradients) {
  const NamedTensors parameters = two_parameters();
  Optimizer sgd =
      Optimizer::sgd(parameters, {.lr = 1, .momentum = 0, .weight_decay = 0, .gradient_clip = 2.5});
  step(sgd, doubles({0, 3}), doubles({4}));
  EXPECT_TRUE(at::allclose(parameters.at("a"), doubles({1, -2 - 1.5}), 1e-6));
  EXPECT_NEAR(parameters.at("b").item<double>(), 3 - 2, 1e-6);
}

TEST(Optimizer, AnnealsTheLearningRateAlongACosine) {
  const NamedTensors parameters = two_parameters();
  Optimizer sgd =
      Optimizer::sgd(parameters, {.lr = 0.5, .final_lr = 0.1, .momentum = 0, .weight_decay = 0});
  EXPECT_DOUBLE_EQ(sgd.schedule(0, 6), 0.5);
  EXPECT_DOUBLE_EQ(sgd.schedule(2, 6), 0.4);
  EXPECT_DOUBLE_EQ(sgd.schedule(6, 6), 0.1);
  EXPECT_DOUBLE_EQ(sgd.schedule(3, 6), 0.3);
  step(sgd, {}, doubles({1}));
  EXPECT_DOUBLE_EQ(parameters.at("b").item<double>(), 2.7);
}

TEST(Optimizer, OfAdamHasAScheduleToo) {
  const NamedTensors parameters = two_parameters();
  Optimizer adam = Optimizer::adam(parameters, {.lr = 0.1, .beta1 = 0, .weight_decay = 0});
  EXPECT_DOUBLE_EQ(adam.schedule(3, 6), 0.1) << "constant unless it is told";
  adam = Optimizer::adam(parameters, {.lr = 0.1,
                                      .beta1 = 0,
                                      .weight_decay = 0,
                                      .final_lr = 0.02,
                                      .schedule = {.shape = ScheduleShape::Linear}});
  EXPECT_DOUBLE_EQ(adam.schedule(3, 6), 0.06);
  step(adam, {}, doubles({2}));
  EXPECT_NEAR(parameters.at("b").item<double>(), 2.94, 1e-7);
}

TEST(Optimizer, TakesNoStepWithGradientsThatHaveOverflowed) {
  const NamedTensors parameters = two_parameters();
  Optimizer sgd = Optimizer::sgd(parameters, {.lr = 0.1});
  const std::vector<at::Tensor> values = {doubles({1, 1}), doubles({1})};
  EXPECT_FALSE(sgd.step({.of = sgd.parameters(), .values = values, .overflowed = true}));
  EXPECT_TRUE(at::equal(parameters.at("a"), doubles({1, -2})));
  EXPECT_TRUE(sgd.state().empty());
  EXPECT_TRUE(sgd.step({.of = sgd.parameters(), .values = values}));
  EXPECT_FALSE(at::equal(parameters.at("a"), doubles({1, -2})));
}

TEST(Optimizer, ContinuesFromItsStateBitForBit) {
  const auto make = [](const std::string& kind, const NamedTensors& parameters) {
    return kind == "sgd" ? Optimizer::sgd(parameters, {.lr = 0.1})
                         : Optimizer::adam(parameters, {.lr = 0.1});
  };
  for (const std::string kind : {"sgd", "adam"}) {
    const NamedTensors parameters = two_parameters();
    Optimizer optimizer = make(kind, parameters);
    step(optimizer, doubles({1, 2}), {});
    step(optimizer, doubles({-1, 0.3}), doubles({0.7}));
    NamedTensors saved;
    for (const auto& [name, tensor] : optimizer.state()) {
      saved[name] = tensor.clone();
    }
    EXPECT_EQ(saved.size(), kind == "sgd" ? 2 : 6);
    const NamedTensors copies = {{"a", parameters.at("a").detach().clone().requires_grad_(true)},
                                 {"b", parameters.at("b").detach().clone().requires_grad_(true)}};
    Optimizer restored = make(kind, copies);
    restored.load_state(saved);
    for (int i = 0; i < 3; ++i) {
      step(optimizer, doubles({0.1 * i, 2}), doubles({1}));
      step(restored, doubles({0.1 * i, 2}), doubles({1}));
    }
    EXPECT_TRUE(at::equal(parameters.at("a"), copies.at("a"))) << kind;
    EXPECT_TRUE(at::equal(parameters.at("b"), copies.at("b"))) << kind;
    const NamedTensors end = optimizer.state();
    for (const auto& [name, tensor] : restored.state()) {
      EXPECT_TRUE(at::equal(tensor, end.at(name))) << kind << " " << name;
    }
    EXPECT_FALSE(at::equal(saved.at(kind == "sgd" ? "a/momentum" : "a/mean"),
                           end.at(kind == "sgd" ? "a/momentum" : "a/mean")));
  }
}

TEST(Optimizer, RefusesStateOfAnotherModelNamingTheEntry) {
  Optimizer sgd = Optimizer::sgd(two_parameters(), {});
  EXPECT_THAT(error_of([&] {
                sgd.load_state({{"c/momentum", doubles({1})}});
              }),
              HasSubstr("'c/momentum', for which there is no parameter"));
  EXPECT_THAT(error_of([&] {
                sgd.load_state({{"a/momentum", doubles({1})}});
              }),
              HasSubstr("'a/momentum' is [1], expected [2]"));
  Optimizer adam = Optimizer::adam(two_parameters(), {});
  EXPECT_THAT(error_of([&] {
                adam.load_state({{"b/mean", doubles({1})}});
              }),
              HasSubstr("lacks the optimiser state 'b/square'"));
  EXPECT_THAT(error_of([&] {
                adam.load_state({{"b/momentum", doubles({1})}});
              }),
              HasSubstr("'b/momentum'"));
}

TEST(Optimizer, RefusesOptionsOutOfRange) {
  const auto error = [](const SgdOptions& options) {
    return error_of([&] { Optimizer::sgd(two_parameters(), options); });
  };
  EXPECT_THAT(error({.lr = -1}), HasSubstr("weight_optimizer.lr must be at least 0, got -1"));
  EXPECT_THAT(error({.lr = std::nan("")}), HasSubstr("lr"));
  EXPECT_THAT(error({.momentum = 1.5}),
              HasSubstr("weight_optimizer.momentum must be at most 1, got 1.5"));
  EXPECT_THAT(error({.weight_decay = -1}), HasSubstr("weight_decay"));
  EXPECT_THAT(error({.gradient_clip = -1}), HasSubstr("gradient_clip"));
  EXPECT_THAT(error_of([] { Optimizer::adam(two_parameters(), {.beta1 = -0.1}); }),
              HasSubstr("beta1"));
}

TEST(CheckDisjoint, RefusesATensorThatTwoOptimisersTrain) {
  NamedTensors parameters = two_parameters();
  const Optimizer first = Optimizer::sgd(parameters, {});
  const Optimizer apart = Optimizer::adam(two_parameters(), {});
  EXPECT_EQ(error_of([&] { check_disjoint(first, apart); }), "(no error)");
  const Optimizer second = Optimizer::adam({{"other", parameters.at("b")}}, {});
  EXPECT_THAT(error_of([&] { check_disjoint(first, second); }),
              HasSubstr("two optimisers train the same tensor of sizes [1]"));
}

TEST(NamedParameters, AreThoseOfTheModuleByPath) {
  const Network network(every_choice_space(), 1);
  const NamedTensors named = named_parameters(*network);
  EXPECT_EQ(named.size(), network->parameters().size());
  EXPECT_TRUE(named.at("stem/conv.weight").is_same(network->parameters().front()));
}

}  // namespace
}  // namespace retia
