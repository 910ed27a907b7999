#include <gtest/gtest.h>

#include "retia/engine/cost/expected_cost.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/algorithms.h"

namespace retia {
namespace {

struct PlantedCase {
  std::string algorithm;
  Json options;
  uint64_t seed;
};

class PlantedOptimum : public testing::TestWithParam<PlantedCase> {};

TEST_P(PlantedOptimum, IsFoundBySearch) {
  const OneThread one_thread;  // these tensors are too small to be shared among threads
  const auto& [name, options, seed] = GetParam();
  const std::string algorithm = name == "darts_second_order" ? "darts" : name;
  const SearchSetup setup = {.network = Network(stripes_space(), seed),
                             .train = stripe_batches(256, 2 * seed, 16),
                             .valid = stripe_batches(256, 2 * seed + 1, 16),
                             .trainer = {.epochs = 12},
                             .weight_optimizer = {.lr = 0.1}};
  const Search search = standard_algorithms().make(algorithm, options, setup, seed);
  Recorder recorder;
  search.trainer->fit(recorder, nullptr);
  const Architecture found = search.trainer->export_architecture();
  EXPECT_EQ(found, planted()) << found.to_string();
  Network best = inherit(setup.network, found);
  recalibrate(best, setup.train, 16);
  EXPECT_GT(score_of(best, setup.valid).accuracy, 0.9);
  Network other = inherit(setup.network, {{"op", {{2}}}, {"mixed", {{1}}}});
  recalibrate(other, setup.train, 16);
  EXPECT_LT(score_of(other, setup.valid).accuracy, 0.65);
}

const Json kQuickEnas = {
    {"controller_steps", 10}, {"aggregate", 5}, {"controller_lr", 0.01}, {"n_candidates", 0}};

INSTANTIATE_TEST_SUITE_P(
    Algorithms, PlantedOptimum,
    testing::Values(
        PlantedCase{"darts", {{"alpha_optimizer", {{"lr", 0.03}}}}, 1},
        PlantedCase{"darts", {{"alpha_optimizer", {{"lr", 0.03}}}}, 2},
        PlantedCase{"darts_second_order", {{"order", 2}, {"alpha_optimizer", {{"lr", 0.03}}}}, 1},
        PlantedCase{"enas", kQuickEnas, 1}, PlantedCase{"enas", kQuickEnas, 2},
        PlantedCase{"gdas", {{"alpha_optimizer", {{"lr", 0.03}}}}, 1},
        PlantedCase{"pc_darts", {{"partial_channels", 1}, {"alpha_optimizer", {{"lr", 0.03}}}}, 1},
        PlantedCase{"proxyless", {{"alpha_optimizer", {{"lr", 0.03}}}}, 1},
        PlantedCase{"random", {{"n_candidates", 40}}, 1}, PlantedCase{"spos", Json::object(), 2}),
    [](const testing::TestParamInfo<PlantedCase>& instance) {
      return instance.param.algorithm + std::to_string(instance.param.seed);
    });

/// Two convolutions that tell stripes apart alike, and cost differently.
ir::Graph two_convolutions() {
  Builder b("two_convolutions");
  const Wire image = b.input("image", {1, 6, 6});
  const Wire stem = b.add("stem", ops::conv2d({.out = 6, .kernel = 1, .bias = true}), {image});
  const Wire op = b.layer_choice(
      "op", {{"conv5", block({.kernel = 5})}, {"conv3", block({.kernel = 3})}}, {stem});
  const Wire pooled = b.add("pooled", ops::global_mean(), {b.add("relu", ops::relu(), {op})});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {pooled}));
  return b.finish();
}

class Penalised : public testing::TestWithParam<PlantedCase> {
 protected:
  static Architecture found_in(const ir::Graph& space, const Json& penalty) {
    const OneThread one_thread;
    const auto& [name, given, seed] = GetParam();
    Json options = given;
    options["penalty"] = penalty;
    const SearchSetup setup = {.network = Network(space, seed),
                               .train = stripe_batches(256, 2 * seed, 16),
                               .valid = stripe_batches(256, 2 * seed + 1, 16),
                               .trainer = {.epochs = 12},
                               .weight_optimizer = {.lr = 0.1}};
    const Search search = standard_algorithms().make(name, options, setup, seed);
    Recorder recorder;
    search.trainer->fit(recorder, nullptr);
    return search.trainer->export_architecture();
  }
  static double cost(const ir::Graph& space, const Architecture& architecture) {
    return ir::ExpectedCost(space, ir::multiply_adds_of).of(architecture);
  }
  /// Of a loss; of a reward with the other sign.
  static Json penalty(double scale) {
    const std::string& name = GetParam().algorithm;
    const bool rewarded = name == "enas" || name == "random";
    return {{"cost", "multiply_adds"}, {"scale", rewarded ? -scale : scale}};
  }
};

TEST_P(Penalised, TakesTheOneOfTwoThatCostsWhatIsAsked) {
  const ir::Graph space = two_convolutions();
  for (const int64_t asked : {0, 1}) {
    const Architecture target = {{"op", {{asked}}}};
    Json options = penalty(1);
    options["shape"] = "absolute";
    options["baseline"] = cost(space, target);
    const Architecture found = found_in(space, options);
    EXPECT_EQ(found, target) << found.to_string();
  }
}

TEST_P(Penalised, TakesTheCheaperOfTwoThatAreAsGood) {
  const Architecture found = found_in(two_convolutions(), penalty(1));
  EXPECT_EQ(found, (Architecture{{"op", {{1}}}})) << found.to_string();
}

TEST_P(Penalised, GivesUpThePlantedOptimumWhereCostsOutweighIt) {
  const Architecture found = found_in(stripes_space(), penalty(20));
  EXPECT_LT(cost(stripes_space(), found), cost(stripes_space(), planted())) << found.to_string();
}

INSTANTIATE_TEST_SUITE_P(
    Algorithms, Penalised,
    testing::Values(PlantedCase{"darts", {{"alpha_optimizer", {{"lr", 0.03}}}}, 1},
                    PlantedCase{"gdas", {{"alpha_optimizer", {{"lr", 0.03}}}}, 1},
                    PlantedCase{"proxyless", {{"alpha_optimizer", {{"lr", 0.03}}}}, 1},
                    PlantedCase{"enas", kQuickEnas, 1},
                    PlantedCase{"random", {{"n_candidates", 40}}, 1}),
    [](const testing::TestParamInfo<PlantedCase>& instance) { return instance.param.algorithm; });

}  // namespace
}  // namespace retia
