#include "retia/engine/experiment/ranked_runner.h"

#include <gmock/gmock.h>

#include <limits>

#include "retia/tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What is chosen; refuses 13, and says which rank has scored.
class Chosen final : public Evaluator {
 public:
  explicit Chosen(const Ranks& ranks) : ranks_(ranks) {}
  Evaluation evaluate(const Trial& trial) override {
    const auto chosen = static_cast<double>(trial.proposal.architecture.at("a").chosen.front());
    TORCH_CHECK(chosen != 13, "13 is unlucky\xff");
    return {.objectives = {chosen / 3},
            .metrics = {{"rank", static_cast<double>(ranks_.rank())},
                        {"loss", std::numeric_limits<double>::quiet_NaN()}}};
  }
  Json to_json() const override { return {}; }

 private:
  const Ranks& ranks_;
};

Job job_of(int64_t id, int64_t chosen) {
  return {.trials = {{.proposal = {.id = id, .architecture = {{"a", {{chosen}}}}}}}};
}

const std::function<bool()> kNobodyStops = [] { return false; };

TEST(RankedRunner, RunsAJobOnEachRankAndTellsAllTheEnd) {
  EXPECT_THAT(in_ranks(3,
                       [](Ranks& ranks) {
                         Chosen evaluator(ranks);
                         RankedRunner runner(evaluator, ranks, kNobodyStops);
                         const Architecture best = {{"a", {{5}}}};
                         if (!ranks.is_first()) {
                           EXPECT_EQ(runner.follow(), best);
                           return;
                         }
                         EXPECT_EQ(runner.concurrency(), 3);
                         for (const int64_t chosen : {4, 13, 5, 6, 7}) {
                           runner.start(job_of(10 + chosen, chosen));
                         }
                         const std::vector<Trial> three = runner.wait(0), two = runner.wait(0);
                         ASSERT_EQ(three.size(), 3);
                         ASSERT_EQ(two.size(), 2);
                         EXPECT_THAT(runner.wait(0), IsEmpty());
                         EXPECT_THAT(three[0].evaluation.objectives, ElementsAre(4.0 / 3));
                         EXPECT_EQ(three[1].evaluation.status, TrialStatus::Failed);
                         EXPECT_THAT(three[1].evaluation.error, HasSubstr("13 is unlucky"));
                         EXPECT_EQ(three[2].proposal, job_of(15, 5).trials.front().proposal);
                         EXPECT_EQ(three[2].evaluation.metrics.at("rank"), 2);
                         EXPECT_TRUE(std::isnan(three[2].evaluation.metrics.at("loss")));
                         EXPECT_EQ(two[1].evaluation.metrics.at("rank"), 1);
                         EXPECT_THAT(two[1].evaluation.objectives, ElementsAre(7.0 / 3));
                         runner.conclude(best);
                       }),
              Each(""));
}

TEST(RankedRunner, StopsWhereAnyRankIsAskedTo) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         Chosen evaluator(ranks);
                         RankedRunner runner(evaluator, ranks, [&] { return ranks.rank() == 1; });
                         if (!ranks.is_first()) {
                           EXPECT_EQ(runner.follow(), std::nullopt);
                           return;
                         }
                         runner.start(job_of(0, 4));
                         const std::vector<Trial> results = runner.wait(0);
                         ASSERT_EQ(results.size(), 1);
                         EXPECT_EQ(results[0].evaluation.status, TrialStatus::Stopped);
                         runner.conclude(std::nullopt);
                       }),
              Each(""));
}

TEST(RankedRunner, CountsTrialsAsStoppedWhereARankIsLost) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         TORCH_CHECK(ranks.is_first(), "out of memory");
                         Chosen evaluator(ranks);
                         RankedRunner runner(evaluator, ranks, kNobodyStops);
                         runner.start(job_of(0, 4));
                         runner.start(job_of(1, 5));
                         const std::vector<Trial> results = runner.wait(0);
                         ASSERT_EQ(results.size(), 2);
                         EXPECT_EQ(results[0].evaluation.status, TrialStatus::Stopped);
                         EXPECT_EQ(results[1].evaluation.status, TrialStatus::Stopped);
                         ranks.check();
                       }),
              ElementsAre(HasSubstr("rank 1 of 2 ended with an error"), "out of memory"));
}

}  // namespace
}  // namespace retia
