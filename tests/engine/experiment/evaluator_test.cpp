#include "retia/engine/experiment/evaluator.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// Scores by id; fails for the trials 1 and 2.
class ById final : public Evaluator {
 public:
  Evaluation evaluate(const Trial& trial) override {
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
  EXPECT_THAT(try_evaluate(evaluator, trial(3)).objectives, ElementsAre(3));
  const Evaluation checked = try_evaluate(evaluator, trial(1));
  EXPECT_EQ(checked.status, TrialStatus::Failed);
  EXPECT_EQ(checked.error, "too wide");
  EXPECT_EQ(try_evaluate(evaluator, trial(2)).error, "out of luck");
}

TEST(Evaluator, IsNotAskedAfterAStop) {
  ById evaluator;
  const Trial stopped = {.proposal = {.id = 3}, .stop_requested = [] { return true; }};
  EXPECT_EQ(try_evaluate(evaluator, stopped).status, TrialStatus::Stopped);
  EXPECT_THAT(evaluator.asked, testing::IsEmpty());
}

/// Merges trials up to the fifth; fails where one of them is the fourth, and loses one of three.
class Merging final : public Evaluator {
 public:
  Evaluation evaluate(const Trial&) override { return {}; }
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override {
    for (const Trial& one : trials) {
      TORCH_CHECK(one.proposal.id != 4, "diverged");
    }
    if (trials.back().proposal.id > 5) {
      return std::nullopt;
    }
    return std::vector<Evaluation>(trials.size() == 3 ? 2 : trials.size(), {.objectives = {1}});
  }
  Json to_json() const override { return {}; }
};

TEST(Evaluator, MergesTrialsOnlyWhereItCanAndAllGoesWell) {
  Merging evaluator;
  const auto n_merged = [&](const std::vector<int64_t>& ids) {
    std::vector<Trial> trials;
    for (const int64_t id : ids) {
      trials.push_back(trial(id));
    }
    const auto merged = try_evaluate_merged(evaluator, trials);
    return merged ? merged->size() : 0;
  };
  EXPECT_EQ(n_merged({0, 1}), 2u);
  EXPECT_EQ(n_merged({0}), 0u);
  EXPECT_EQ(n_merged({0, 6}), 0u);
  EXPECT_EQ(n_merged({3, 4}), 0u);
  EXPECT_EQ(n_merged({0, 1, 2}), 0u) << "one evaluation is missing";
  ById alone;
  EXPECT_FALSE(alone.evaluate_merged(std::vector<Trial>(2)));
}

}  // namespace
}  // namespace retia
