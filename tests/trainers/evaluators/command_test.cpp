#include "retia/trainers/evaluators/command.h"

#include <gmock/gmock.h>

#include <chrono>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/evaluators/trials.h"
#include "retia/trainers/evaluators.h"

namespace retia {
namespace {

Evaluation run(const std::string& command, const Trial& trial = {}) {
  return CommandEvaluator({.command = command}).evaluate(trial_of(linear_model(), trial));
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
  EXPECT_EQ(CommandEvaluator({.command = "sleep 60", .time_limit = 0.2})
                .evaluate(trial_of(linear_model()))
                .error,
            "the command ran longer than 0.2 seconds");
}

constexpr const char* kThreeEpochs =
    R"(echo '{"intermediate": 0.25}'; echo note; echo '{"intermediate": 0.5}'; echo '{"metric": 1}')";

TEST(CommandEvaluator, TakesIntermediateValuesFromLinesBeforeTheLast) {
  const Evaluation found = run(kThreeEpochs);
  EXPECT_EQ(found.objectives, std::vector<double>{1});
  EXPECT_EQ(found.intermediate, (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(run(kThreeEpochs, with_floors({0.25, 0.5, 9})).objectives, std::vector<double>{1});
  EXPECT_EQ(run(R"(echo '{"intermediate": "x"}'; sleep 60)").error,
            R"(the command printed '{"intermediate": "x"}', expected a number as "intermediate")");
}

TEST(CommandEvaluator, KillsACommandThatFallsBelowTheFloors) {
  const Trial trial = with_floors({0.25, 0.6});
  const Evaluation ended = run(std::string(kThreeEpochs) + "; exit 1", trial);
  EXPECT_EQ(ended.status, TrialStatus::Succeeded);
  EXPECT_EQ(ended.objectives, std::vector<double>{0.5});
  EXPECT_EQ(ended.metrics, (std::map<std::string, double>{{"epochs", 2}}));
  const auto started = std::chrono::steady_clock::now();
  const Evaluation killed =
      run(R"(echo '{"intermediate": 0.5}'; echo '{"intermediate": 0.1}'; sleep 60; echo 1)", trial);
  EXPECT_EQ(killed.objectives, std::vector<double>{0.1});
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(30));
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
