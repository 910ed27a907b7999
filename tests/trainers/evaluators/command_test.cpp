#include "trainers/evaluators/command.h"

#include <gmock/gmock.h>

#include "engine/ir/builder.h"
#include "engine/operations/linear.h"
#include "tests/error_of.h"
#include "trainers/evaluators.h"

namespace retia {
namespace {

ir::Graph model() {
  Builder b("model");
  b.output("y", b.add("layer", ops::linear({.out = 3}), {b.input("x", {4})}));
  return b.finish();
}

Evaluation run(const std::string& command, const Trial& trial = {}) {
  return CommandEvaluator({.command = command}).evaluate(model(), trial);
}

TEST(CommandEvaluator, TakesANumberOrAnObjectFromTheLastLine) {
  EXPECT_EQ(run("echo training; echo 0.75").objectives, std::vector<double>{0.75});
  const Evaluation named = run(R"(echo '{"metric": 2, "loss": 0.5, "note": "x"}')");
  EXPECT_EQ(named.objectives, std::vector<double>{2});
  EXPECT_EQ(named.metrics, (std::map<std::string, double>{{"loss", 0.5}}));
  EXPECT_EQ(run(R"(echo '{"default": 3}')").objectives, std::vector<double>{3});
}

TEST(CommandEvaluator, GivesTheModelAndTheTrial) {
  const Evaluation evaluation =
      run("python3 -c 'import json, os, sys; g = json.load(sys.stdin); "
          "print(json.dumps({\"metric\": len(g[\"nodes\"]), \"trial\": "
          "int(os.environ[\"RETIA_TRIAL\"]), "
          "\"epochs\": int(os.environ[\"RETIA_EPOCHS\"])}))'",
          {.proposal = {.id = 7, .epochs = 5}});
  EXPECT_EQ(evaluation.error, "");
  EXPECT_EQ(evaluation.objectives, std::vector<double>{2});
  EXPECT_EQ(evaluation.metrics, (std::map<std::string, double>{{"trial", 7}, {"epochs", 5}}));
}

TEST(CommandEvaluator, FailsWithTheLastLineOfTheErrors) {
  const Evaluation failed = run("echo first >&2; echo out of memory >&2; exit 1");
  EXPECT_EQ(failed.status, TrialStatus::Failed);
  EXPECT_EQ(failed.error, "out of memory");
  EXPECT_EQ(run("exit 4").error, "the command ended with code 4");
  EXPECT_THAT(run("kill -9 $$").error, testing::StartsWith("the command was ended by signal 9"));
  EXPECT_THAT(error_of([] { run("echo done"); }),
              testing::StartsWith("the last line that the command printed is 'done', expected a "));
  EXPECT_EQ(
      CommandEvaluator({.command = "sleep 60", .time_limit = 0.2}).evaluate(model(), {}).error,
      "the command ran longer than 0.2 seconds");
}

TEST(CommandEvaluator, StopsWhenAsked) {
  EXPECT_EQ(run("sleep 60", {.stop_requested = [] { return true; }}).status, TrialStatus::Stopped);
}

TEST(CommandEvaluator, IsRebuiltFromItsJson) {
  const CommandEvaluator evaluator({.command = "echo 1", .metric = "speed"});
  const auto rebuilt = evaluator_from_json(standard_evaluators(), evaluator.to_json(), {});
  EXPECT_EQ(rebuilt->to_json(), evaluator.to_json());
  EXPECT_EQ(rebuilt->objectives().front().name, "speed");
  EXPECT_EQ(error_of([] { CommandEvaluator({}); }),
            "evaluator 'command' needs a command: --set evaluator.command=\"…\"");
}

}  // namespace
}  // namespace retia
