#include "retia/trainers/evaluators/command.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cmath>

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

TEST(CommandEvaluator, FailsWithTheLastLinesOfTheErrors) {
  const Evaluation failed = run("seq 3 >&2; echo; echo '  out of memory ' >&2; exit 1");
  EXPECT_EQ(failed.status, TrialStatus::Failed);
  EXPECT_EQ(failed.error, "the command ended with code 1: 2 | 3 | out of memory");
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

TEST(CommandEvaluator, KeepsThePlaceOfAnIntermediateNaN) {
  constexpr const char* kPython =
      "python3 -c 'import json; [print(json.dumps({\"intermediate\": float(x)})) "
      "for x in (\"nan\", 0.2, \"-inf\", 0.3)]'; echo .3";
  const Evaluation found = run(kPython);
  EXPECT_EQ(found.objectives, std::vector<double>{0.3});
  EXPECT_THAT(found.intermediate, testing::ElementsAre(testing::IsNan(), 0.2, -HUGE_VAL, 0.3));
  const Evaluation ended = run(kPython, with_floors({0.5, 0.2, 0.25}));
  EXPECT_EQ(ended.objectives, std::vector<double>{-HUGE_VAL});
}

TEST(CommandEvaluator, TakesAResultThatIsNoNumberAsOne) {
  EXPECT_THAT(run("echo NaN").objectives, testing::ElementsAre(testing::IsNan()));
  CommandEvaluator speed({.command = R"(echo '{"speed": NaN}')", .metric = "speed"});
  EXPECT_THAT(speed.evaluate(trial_of(linear_model())).objectives,
              testing::ElementsAre(testing::IsNan()));
  const Evaluation named = run(R"(echo '{"metric": +0.5, "loss": Infinity}')");
  EXPECT_EQ(named.objectives, std::vector<double>{0.5});
  EXPECT_EQ(named.metrics, (std::map<std::string, double>{{"loss", HUGE_VAL}}));
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

TEST(CommandEvaluator, MinimisesALossAlsoWhenItEndsEarly) {
  const CommandOptions loss = {
      .command = "", .metric = "loss", .direction = StatedDirection::Minimise};
  const auto ended = [&](const std::string& command, const Trial& trial) {
    CommandOptions options = loss;
    options.command = command;
    CommandEvaluator evaluator(options);
    EXPECT_EQ(evaluator.objectives().at(0).direction, Direction::Minimise);
    return evaluator.evaluate(trial_of(linear_model(), trial));
  };
  const std::string falling =
      R"(echo '{"intermediate": 3}'; echo '{"intermediate": 0.5}'; echo '{"loss": 0.25, "f1": 1}')";
  const Evaluation whole = ended(falling, with_floors({3, 0.5}));
  EXPECT_EQ(whole.objectives, std::vector<double>{0.25});
  EXPECT_EQ(whole.metrics, (std::map<std::string, double>{{"f1", 1}}));
  EXPECT_EQ(ended(falling, with_floors({3, 0.4})).objectives, std::vector<double>{0.5});
  EXPECT_THAT(error_of([] { CommandEvaluator({.command = "echo 1", .metric = "loss"}); }),
              testing::HasSubstr("evaluator.direction=minimise"));
}

TEST(CommandEvaluator, RefusesTwoDifferentValuesOfItsObjective) {
  CommandEvaluator evaluator(
      {.command = R"(echo '{"metric": 0.9, "speed": 0.3}')", .metric = "speed"});
  constexpr const char* kRefused =
      "the command printed 0.9 as \"metric\" and 0.3 as \"speed\", which is the objective: print "
      "one "
      "of them";
  EXPECT_EQ(error_of([&] { evaluator.evaluate(trial_of(linear_model())); }), kRefused);
  CommandEvaluator early(
      {.command = R"(echo '{"intermediate": {"metric": 0.9, "speed": 0.3}}'; sleep 60)",
       .metric = "speed"});
  EXPECT_EQ(early.evaluate(trial_of(linear_model())).error, kRefused);
}

TEST(CommandEvaluator, ReturnsSeveralObjectivesByTheirNames) {
  const auto run_both = [](const std::string& command, const Trial& trial) {
    CommandEvaluator evaluator(
        {.command = command,
         .objectives = {{"loss", StatedDirection::Minimise}, {"f1", StatedDirection::Maximise}}});
    return evaluator.evaluate(trial_of(linear_model(), trial));
  };
  const Evaluation found = run_both(R"(echo '{"f1": 0.5, "loss": 2, "n": 7}')", {});
  EXPECT_EQ(found.objectives, (std::vector<double>{2, 0.5}));
  EXPECT_EQ(found.metrics, (std::map<std::string, double>{{"n", 7}}));
  EXPECT_THAT(error_of([&] { run_both(R"(echo '{"metric": 1, "loss": 2}')", {}); }),
              testing::EndsWith(R"(expected an object with the numbers "loss", "f1")"));
  const std::string both = R"(echo '{"intermediate": {"loss": 9, "f1": 0.1}}'; )";
  EXPECT_EQ(run_both(both + "sleep 60", with_floors({8})).objectives,
            (std::vector<double>{9, 0.1}));
  // The first objective alone cannot end a trial that has two.
  EXPECT_EQ(run_both(R"(echo '{"intermediate": 9}'; echo '{"loss": 1, "f1": 1}')", with_floors({8}))
                .objectives,
            (std::vector<double>{1, 1}));
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
