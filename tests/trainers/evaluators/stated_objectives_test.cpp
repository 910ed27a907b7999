#include "retia/trainers/evaluators/stated_objectives.h"

#include <gmock/gmock.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

constexpr StatedDirection kUnstated = StatedDirection::Unstated;

TEST(StatedObjectives, TellsNamesOfLossesFromOthers) {
  for (const char* name :
       {"loss", "val_loss", "validLoss", "top1-error", "err", "RMSE", "latency_ms", "latencyMs",
        "inference.time", "seconds", "perplexity", "test_mae"}) {
    EXPECT_TRUE(is_named_like_a_loss(name)) << name;
  }
  for (const char* name : {"metric", "accuracy", "f1", "score", "speed", "r2", "terror_free_words",
                           "runtimes", "merit", "", "items", "costume"}) {
    EXPECT_EQ(is_named_like_a_loss(name), std::string(name).find("error") != std::string::npos)
        << name;
  }
}

TEST(StatedObjectives, MaximisesUnlessToldOtherwise) {
  const auto direction = [](const char* metric, StatedDirection stated) {
    return stated_objectives(metric, stated, {}, "metric").at(0).direction;
  };
  EXPECT_EQ(direction("f1", kUnstated), Direction::Maximise);
  EXPECT_EQ(direction("f1", StatedDirection::Minimise), Direction::Minimise);
  EXPECT_EQ(direction("loss", StatedDirection::Minimise), Direction::Minimise);
  EXPECT_EQ(direction("loss", StatedDirection::Maximise), Direction::Maximise);
}

TEST(StatedObjectives, AsksForTheDirectionOfALossWithBothSpellings) {
  const std::string error =
      error_of([] { stated_objectives("val_loss", kUnstated, {}, "metric"); });
  EXPECT_THAT(error, HasSubstr("'val_loss' is named like a loss"));
  EXPECT_THAT(error, HasSubstr("--set evaluator.direction=minimise"));
  EXPECT_THAT(error,
              HasSubstr(R"(evaluator.objectives=[{"name": "val_loss", "direction": "minimise"}])"));
}

TEST(StatedObjectives, TakesAListInTheOrderGiven) {
  const std::vector<Objective> found = stated_objectives(
      "metric", kUnstated,
      {{"loss", StatedDirection::Minimise}, {"accuracy", StatedDirection::Maximise}}, "metric");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "loss");
  EXPECT_EQ(found[0].direction, Direction::Minimise);
  EXPECT_EQ(found[1].direction, Direction::Maximise);
}

TEST(StatedObjectives, RefusesWhatIsIncompleteOrTwice) {
  const auto error = [](const char* metric, StatedDirection direction,
                        const std::vector<StatedObjective>& list) {
    return error_of([&] { stated_objectives(metric, direction, list, "metric"); });
  };
  const StatedObjective loss = {"loss", StatedDirection::Minimise};
  EXPECT_THAT(error("metric", kUnstated, {{"f1"}}),
              HasSubstr(R"("maximise" or "minimise"}, got )"));
  EXPECT_THAT(error("metric", kUnstated, {{"", StatedDirection::Minimise}}), HasSubstr("\"name\""));
  EXPECT_THAT(error("metric", kUnstated, {loss, loss}), HasSubstr("'loss' is given twice"));
  EXPECT_THAT(error("loss", kUnstated, {loss}), HasSubstr("remove evaluator.metric"));
  EXPECT_THAT(error("metric", StatedDirection::Minimise, {loss}),
              HasSubstr("remove evaluator.metric and evaluator.direction"));
}

}  // namespace
}  // namespace retia
