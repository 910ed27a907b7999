#include "retia/engine/evaluator.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// Scores by id; fails for the trials 1 and 2.
class ById final : public Evaluator {
 public:
  Evaluation evaluate(const ir::Graph&, const Trial& trial) override {
    asked.push_back(trial.proposal.id);
    TORCH_CHECK(trial.proposal.id != 1, "too wide");
    if (trial.proposal.id == 2) {
      throw std::runtime_error("out of luck");
    }
    return {.objectives = {static_cast<double>(trial.proposal.id)}};
  }
  Json to_json() const override { return {{"name", "by_id"}, {"options", Json::object()}}; }

  std::vector<int64_t> asked;
};

Trial trial(int64_t id) { return {.proposal = {.id = id}}; }

TEST(Evaluator, HasItsErrorsRecorded) {
  ById evaluator;
  EXPECT_THAT(try_evaluate(evaluator, ir::Graph(""), trial(3)).objectives, ElementsAre(3));
  const Evaluation checked = try_evaluate(evaluator, ir::Graph(""), trial(1));
  EXPECT_EQ(checked.status, TrialStatus::Failed);
  EXPECT_EQ(checked.error, "too wide");
  EXPECT_EQ(try_evaluate(evaluator, ir::Graph(""), trial(2)).error, "out of luck");
}

TEST(Evaluator, IsNotAskedAfterAStop) {
  ById evaluator;
  const Trial stopped = {.proposal = {.id = 3}, .stop_requested = [] { return true; }};
  EXPECT_EQ(try_evaluate(evaluator, ir::Graph(""), stopped).status, TrialStatus::Stopped);
  EXPECT_THAT(evaluator.asked, testing::IsEmpty());
}

TEST(Evaluator, EvaluatesSeveralOneAfterTheOtherAndEachOnce) {
  ById evaluator;
  const std::vector<ir::Graph> models(3, ir::Graph(""));
  const std::vector<Trial> trials = {trial(0), trial(1), trial(4)};
  const std::vector<Evaluation> found = evaluator.evaluate_merged(models, trials);
  EXPECT_THAT(evaluator.asked, ElementsAre(0, 1, 4));
  EXPECT_EQ(found.at(1).status, TrialStatus::Failed);
  EXPECT_THAT(found.at(2).objectives, ElementsAre(4));
}

}  // namespace
}  // namespace retia
