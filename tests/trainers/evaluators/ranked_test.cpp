#include "trainers/evaluators/ranked.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include "tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// The sum over ranks of what is chosen; refuses 13.
class ChosenSum final : public Evaluator {
 public:
  explicit ChosenSum(Ranks& ranks) : ranks_(ranks) {}
  Evaluation evaluate(const ir::Graph&, const Trial& trial) override {
    const int64_t chosen = trial.proposal.architecture.at("a").chosen.front();
    TORCH_CHECK(chosen != 13, "13 is unlucky");
    const at::Tensor sum = at::full({}, chosen, at::kDouble);
    ranks_.sum(sum);
    ++n_trials;
    return {.objectives = {sum.item<double>()}};
  }
  Json to_json() const override { return {}; }
  int64_t n_trials = 0;

 private:
  Ranks& ranks_;
};

Trial trial_of(int64_t chosen) { return {.proposal = {.architecture = {{"a", {{chosen}}}}}}; }

TEST(RankedEvaluator, ScoresOnAllRanksTogetherAndTellsThemTheEnd) {
  EXPECT_THAT(
      in_ranks(3,
               [](Ranks& ranks) {
                 ChosenSum inner(ranks);
                 RankedEvaluator together(inner, ranks, [] { return false; });
                 const Architecture best = {{"a", {{5}}}};
                 if (!ranks.is_first()) {
                   EXPECT_EQ(together.follow(), best);
                   EXPECT_EQ(inner.n_trials, 2);
                   return;
                 }
                 const ir::Graph none("");
                 EXPECT_THAT(together.evaluate(none, trial_of(4)).objectives, ElementsAre(12));
                 const Evaluation failed = together.evaluate(none, trial_of(13));
                 EXPECT_EQ(failed.status, TrialStatus::Failed);
                 EXPECT_EQ(failed.error, "13 is unlucky");
                 EXPECT_THAT(together.evaluate(none, trial_of(5)).objectives, ElementsAre(15));
                 together.conclude(best);
               }),
      Each(""));
}

TEST(RankedEvaluator, StopsWhereAnyRankIsAskedTo) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         ChosenSum inner(ranks);
                         RankedEvaluator together(inner, ranks, [&] { return ranks.rank() == 1; });
                         if (!ranks.is_first()) {
                           EXPECT_EQ(together.follow(), std::nullopt);
                           return;
                         }
                         EXPECT_EQ(together.evaluate(ir::Graph(""), trial_of(4)).status,
                                   TrialStatus::Stopped);
                         together.conclude(std::nullopt);
                       }),
              Each(""));
}

TEST(RankedEvaluator, CountsATrialAsStoppedWhereARankIsLost) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         TORCH_CHECK(ranks.is_first(), "out of memory");
                         ChosenSum inner(ranks);
                         RankedEvaluator together(inner, ranks, [] { return false; });
                         EXPECT_EQ(together.evaluate(ir::Graph(""), trial_of(4)).status,
                                   TrialStatus::Stopped);
                         ranks.check();
                       }),
              ElementsAre(HasSubstr("rank 1 of 2 ended with an error"), "out of memory"));
}

}  // namespace
}  // namespace retia
