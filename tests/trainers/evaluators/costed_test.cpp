#include "retia/trainers/evaluators/costed.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "retia/engine/base/pareto.h"
#include "retia/engine/cost/latency_table.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"
#include "retia/engine/space/freeze.h"
#include "retia/strategies/strategies.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/evaluators/trials.h"
#include "retia/trainers/evaluators.h"
#include "retia/trainers/evaluators/command.h"

namespace retia {
namespace {

std::unique_ptr<Evaluator> command(const std::string& text) {
  return std::make_unique<CommandEvaluator>(CommandOptions{.command = text});
}

TEST(CostedEvaluator, AddsWhatTheModelCostsToBeMinimised) {
  CostedEvaluator evaluator(command("echo 5"), {{"parameters", "multiply_adds"}});
  const std::vector<Objective> objectives = evaluator.objectives();
  ASSERT_EQ(objectives.size(), 3u);
  EXPECT_EQ(objectives[1].name, "parameters");
  EXPECT_EQ(objectives[1].direction, Direction::Minimise);
  EXPECT_EQ(evaluator.evaluate(trial_of(linear_model())).objectives,
            (std::vector<double>{5, 15, 12}));
}

TEST(CostedEvaluator, AddsNothingToAFailure) {
  CostedEvaluator evaluator(command("exit 1"), {{"parameters"}});
  EXPECT_EQ(evaluator.evaluate(trial_of(linear_model())).status, TrialStatus::Failed);
}

TEST(CostedEvaluator, IsRebuiltWithTheOneInsideIt) {
  CostedEvaluator evaluator(command("echo 5"), {{"parameters"}});
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), {});
  EXPECT_EQ(rebuilt->to_json(), evaluator.to_json());
  EXPECT_EQ(rebuilt->evaluate(trial_of(linear_model())).objectives, (std::vector<double>{5, 15}));
}

/// A layer choice of three, in four places: convolutions of 3 and 1 pixels, and none.
ir::Graph layers() {
  Builder b("layers");
  Wire x = b.input("x", {2, 4, 4});
  for (const char* name : {"a", "b", "c", "d"}) {
    x = b.layer_choice(name,
                       {{"conv3", ops::conv2d({.kernel = 3})},
                        {"conv1", ops::conv2d({.kernel = 1})},
                        {"skip", ops::identity()}},
                       {x});
  }
  b.output("y", x);
  return b.finish();
}

/// Milliseconds that no count of multiply-adds gives.
std::string write_latencies(const TemporaryFolder& folder) {
  LatencyTable table({});
  const std::vector<Shape> input = {{2, 4, 4}};
  table.set(ops::conv2d({.kernel = 3}), input, {.milliseconds = 0.75});
  table.set(ops::conv2d({.kernel = 1}), input, {.milliseconds = 1});
  table.set(ops::identity(), input, {.milliseconds = 0.25});
  table.write(folder / "latency.json");
  return folder / "latency.json";
}

/// A score of the architecture: what is worth most in place i is i modulo 3.
class PlacedEvaluator final : public Evaluator {
 public:
  Evaluation evaluate(const Trial& trial) override {
    double score = 0, place = 0;
    for (const auto& [label, decision] : trial.proposal.architecture) {
      score += std::abs(static_cast<double>(decision.chosen.front()) - std::fmod(place++, 3));
    }
    return {.objectives = {-score}};
  }
  Json to_json() const override { return {}; }
};

TEST(CostedEvaluator, AddsTheLatencyOfATable) {
  const TemporaryFolder folder;
  CostedEvaluator evaluator(command("echo 5"), {{"latency"}, write_latencies(folder), "layers"});
  const ir::Graph conv3_skip_skip_conv1 =
      ir::freeze(layers(), {{"a", {{0}}}, {"b", {{2}}}, {"c", {{2}}}, {"d", {{1}}}});
  EXPECT_EQ(evaluator.evaluate(trial_of(conv3_skip_skip_conv1)).objectives,
            (std::vector<double>{5, 0.75 + 0.25 + 0.25 + 1}));
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), {});
  EXPECT_EQ(rebuilt->to_json(), evaluator.to_json());
  EXPECT_THAT(error_of([] {
                CostedEvaluator(command("echo 5"), {{"latency"}, "", "layers"});
              }),
              testing::HasSubstr("latency comes from a table"));
}

TEST(CostedEvaluator, GivesNsga2TheTrueFrontOfScoreAndLatency) {
  const TemporaryFolder folder;
  const CostsOptions costs = {{"latency"}, write_latencies(folder), "layers"};
  CostedEvaluator evaluator(std::make_unique<PlacedEvaluator>(), costs);
  const ir::Space space = layers();
  const auto gains_of = [&](const Architecture& architecture) {
    Trial trial = trial_of(space.model(architecture), {.proposal = {.architecture = architecture}});
    trial.evaluation = evaluator.evaluate(trial);
    return gains(evaluator.objectives(), trial);
  };
  const auto front_of = [](const std::vector<Objectives>& points) {
    std::set<Objectives> front;
    for (const size_t i : pareto_front(points)) {
      front.insert(points[i]);
    }
    return front;
  };
  std::vector<Objectives> all, tried;
  for (int64_t i = 0; i < 81; ++i) {
    all.push_back(gains_of(
        {{"a", {{i % 3}}}, {"b", {{i / 3 % 3}}}, {"c", {{i / 9 % 3}}}, {"d", {{i / 27}}}}));
  }
  const auto nsga2 = standard_strategies().make("nsga2", {{"population", 16}}, space, 1);
  ExperimentObserver observer;
  Experiment experiment(space, "layers", evaluator, *nsga2, folder.path());
  experiment.run({.max_trials = 60}, observer);
  for (const Trial& trial : experiment.trials()) {
    tried.push_back(gains(experiment.objectives(), trial));
  }
  EXPECT_GE(front_of(all).size(), 3u);
  EXPECT_EQ(front_of(tried), front_of(all));
}

TEST(CostedEvaluator, RefusesUnknownAndRepeatedCosts) {
  EXPECT_EQ(error_of([] { CostedEvaluator(command("echo 5"), {{"paramters"}}); }),
            "unknown cost 'paramters'; did you mean 'parameters'?");
  EXPECT_EQ(error_of([] {
              CostedEvaluator(command("echo 5"), {{"parameters", "parameters"}});
            }),
            "the cost 'parameters' is given twice");
}

}  // namespace
}  // namespace retia
