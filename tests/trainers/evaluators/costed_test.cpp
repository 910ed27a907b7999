#include "trainers/evaluators/costed.h"

#include <gmock/gmock.h>

#include "engine/ir/builder.h"
#include "engine/operations/linear.h"
#include "tests/error_of.h"
#include "trainers/evaluators.h"
#include "trainers/evaluators/command.h"

namespace retia {
namespace {

std::unique_ptr<Evaluator> command(const std::string& text) {
  return std::make_unique<CommandEvaluator>(CommandOptions{.command = text});
}

ir::Graph model() {
  Builder b("model");
  b.output("y", b.add("layer", ops::linear({.out = 3}), {b.input("x", {4})}));
  return b.finish();
}

TEST(CostedEvaluator, AddsWhatTheModelCostsToBeMinimised) {
  CostedEvaluator evaluator(command("echo 5"), {"parameters", "multiply_adds"});
  const std::vector<Objective> objectives = evaluator.objectives();
  ASSERT_EQ(objectives.size(), 3u);
  EXPECT_EQ(objectives[1].name, "parameters");
  EXPECT_EQ(objectives[1].direction, Direction::Minimise);
  EXPECT_EQ(evaluator.evaluate(model(), {}).objectives, (std::vector<double>{5, 15, 12}));
}

TEST(CostedEvaluator, AddsNothingToAFailure) {
  CostedEvaluator evaluator(command("exit 1"), {"parameters"});
  EXPECT_EQ(evaluator.evaluate(model(), {}).status, TrialStatus::Failed);
}

TEST(CostedEvaluator, IsRebuiltWithTheOneInsideIt) {
  CostedEvaluator evaluator(command("echo 5"), {"parameters"});
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), {});
  EXPECT_EQ(rebuilt->to_json(), evaluator.to_json());
  EXPECT_EQ(rebuilt->evaluate(model(), {}).objectives, (std::vector<double>{5, 15}));
}

TEST(CostedEvaluator, RefusesUnknownAndRepeatedCosts) {
  EXPECT_EQ(error_of([] { CostedEvaluator(command("echo 5"), {"paramters"}); }),
            "unknown cost 'paramters'; did you mean 'parameters'?");
  EXPECT_EQ(error_of([] {
              CostedEvaluator(command("echo 5"), {"parameters", "parameters"});
            }),
            "the cost 'parameters' is given twice");
}

}  // namespace
}  // namespace retia
