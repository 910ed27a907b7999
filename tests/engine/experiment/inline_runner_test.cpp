#include "retia/engine/experiment/inline_runner.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "retia/engine/io/process.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// Scores by id, alone and merged, and keeps a diary.
class Counting final : public Evaluator {
 public:
  bool reads_model() const override { return false; }
  Evaluation evaluate(const Trial& trial) override {
    alone.push_back(trial.proposal.id);
    weights = trial.weights;
    floors = trial.floors;
    if (trial.proposal.id == 3) {
      throw std::runtime_error("out of luck");
    }
    return {.objectives = {static_cast<double>(trial.proposal.id)}};
  }
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override {
    merged.push_back(trials.size());
    std::vector<Evaluation> evaluations;
    for (const Trial& trial : trials) {
      if (trial.proposal.id == 3) {
        throw std::runtime_error("out of memory");
      }
      evaluations.push_back({.objectives = {10.0 * static_cast<double>(trial.proposal.id)}});
    }
    return evaluations;
  }
  Json to_json() const override { return {{"name", "counting"}, {"options", Json::object()}}; }

  std::vector<int64_t> alone;
  std::vector<size_t> merged;
  std::filesystem::path weights;
  std::vector<double> floors;
};

Job job_of(const std::vector<int64_t>& ids) {
  Job job;
  for (const int64_t id : ids) {
    job.trials.push_back({.proposal = {.id = id}, .floors = {0.5}});
  }
  return job;
}

bool never() { return false; }

TEST(InlineRunner, RunsAJobEachTimeThatSomebodyWaits) {
  Counting evaluator;
  InlineRunner runner(evaluator, "weights", never, 2);
  EXPECT_EQ(runner.concurrency(), 2);
  EXPECT_TRUE(runner.wait(0).empty());
  runner.start(job_of({0}));
  runner.start(job_of({1}));
  EXPECT_TRUE(evaluator.alone.empty());
  const std::vector<Trial> first = runner.wait(0);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].proposal.id, 0);
  EXPECT_THAT(first[0].evaluation.objectives, ElementsAre(0));
  EXPECT_EQ(first[0].host, host_name());
  EXPECT_EQ(first[0].n_attempts, 1);
  EXPECT_EQ(evaluator.weights, "weights");
  EXPECT_THAT(evaluator.floors, ElementsAre(0.5));
  runner.stop();
  EXPECT_TRUE(runner.wait(0).empty());
  EXPECT_THAT(evaluator.alone, ElementsAre(0));
}

TEST(InlineRunner, RunsSeveralAtOnceAndEachAloneWhereThatFails) {
  Counting evaluator;
  InlineRunner runner(evaluator, "", never);
  runner.start(job_of({1, 2}));
  std::vector<Trial> results = runner.wait(0);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_THAT(results[1].evaluation.objectives, ElementsAre(20));
  EXPECT_TRUE(evaluator.alone.empty());

  runner.start(job_of({2, 3, 4}));
  results = runner.wait(0);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_THAT(evaluator.alone, ElementsAre(2, 3, 4));
  EXPECT_THAT(results[0].evaluation.objectives, ElementsAre(2));
  EXPECT_EQ(results[1].evaluation.status, TrialStatus::Failed);
  EXPECT_EQ(results[1].evaluation.error, "out of luck");
  EXPECT_EQ(results[2].evaluation.status, TrialStatus::Succeeded);
  EXPECT_THAT(evaluator.merged, ElementsAre(2, 3));
}

/// Fails for the trial 3; knows no way to evaluate several models at once.
class Plain final : public Evaluator {
 public:
  Evaluation evaluate(const Trial& trial) override {
    asked.push_back(trial.proposal.id);
    TORCH_CHECK(trial.proposal.id != 3, "out of luck");
    return {.objectives = {1}};
  }
  Json to_json() const override { return {{"name", "plain"}, {"options", Json::object()}}; }

  std::vector<int64_t> asked;
};

TEST(InlineRunner, EvaluatesEachOnceWhereOneFails) {
  Plain evaluator;
  InlineRunner runner(evaluator, "", never);
  runner.start(job_of({2, 3, 4}));
  const std::vector<Trial> results = runner.wait(0);
  EXPECT_THAT(evaluator.asked, ElementsAre(2, 3, 4));
  EXPECT_EQ(results.at(1).evaluation.error, "out of luck");
  EXPECT_EQ(results.at(2).evaluation.status, TrialStatus::Succeeded);
}

TEST(InlineRunner, BeginsNothingAfterAStop) {
  Counting evaluator;
  bool stops = false;
  InlineRunner runner(evaluator, "", [&] { return std::exchange(stops, true); });
  runner.start(job_of({1}));
  runner.start(job_of({2}));
  EXPECT_EQ(runner.wait(0)[0].evaluation.status, TrialStatus::Succeeded);
  EXPECT_EQ(runner.wait(0)[0].evaluation.status, TrialStatus::Stopped);
  EXPECT_THAT(evaluator.alone, ElementsAre(1));
}

}  // namespace
}  // namespace retia
