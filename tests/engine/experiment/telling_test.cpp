#include "retia/engine/experiment/telling.h"

#include <gmock/gmock.h>

namespace retia {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Keeps what it is told.
class Listener final : public Strategy {
 public:
  Answer ask() override { return Exhausted{}; }
  void tell(const Proposal& proposal, const Outcome& outcome) override {
    ids.push_back(proposal.id);
    outcomes.push_back(outcome);
  }
  Json state() const override { return Json::object(); }
  void load_state(const Json&) override {}

  std::vector<int64_t> ids;
  std::vector<Outcome> outcomes;
};

Trial ended(int64_t id, std::vector<double> objectives) {
  const double first = objectives.front();
  return {.proposal = {.id = id},
          .evaluation = {.objectives = std::move(objectives), .intermediate = {first}}};
}

TEST(Telling, KeepsTheOrderOfIds) {
  Listener listener;
  Telling telling(listener, {{.name = "score"}});
  telling.add(ended(2, {0.2}));
  telling.add(ended(0, {0.0}));
  EXPECT_FALSE(telling.first(3));
  EXPECT_THAT(listener.ids, ElementsAre(0));
  telling.add(ended(1, {0.1}));
  EXPECT_TRUE(telling.first(2));
  EXPECT_THAT(listener.ids, ElementsAre(0, 1));
  EXPECT_TRUE(telling.first(1));
  EXPECT_TRUE(telling.first(3));
  EXPECT_THAT(listener.ids, ElementsAre(0, 1, 2));
  EXPECT_EQ(telling.n_told(), 3);
}

TEST(Telling, TurnsObjectivesSoThatLargerIsBetter) {
  Listener listener;
  Telling telling(listener, {{.name = "accuracy"}, {"latency", Direction::Minimise}});
  telling.add(ended(0, {0.9, 12}));
  telling.add({.proposal = {.id = 1}, .evaluation = {.status = TrialStatus::Failed}});
  EXPECT_TRUE(telling.first(2));
  EXPECT_THAT(listener.outcomes.at(0).objectives, ElementsAre(0.9, -12));
  EXPECT_EQ(listener.outcomes.at(1).status, TrialStatus::Failed);
  EXPECT_THAT(listener.outcomes.at(1).objectives, IsEmpty());
}

TEST(Telling, TellsItsRuleOfTrialsThatSucceeded) {
  Listener listener;
  Telling telling(listener, {{.name = "score"}});
  EXPECT_THAT(telling.floors(), IsEmpty());
  telling.stop_early(MedianStop(Direction::Maximise, {.min_trials = 1}));
  telling.add(ended(0, {0.5}));
  Trial failed = ended(1, {0.9});
  failed.evaluation.status = TrialStatus::Failed;
  telling.add(failed);
  EXPECT_THAT(telling.floors(), IsEmpty());
  EXPECT_TRUE(telling.first(2));
  EXPECT_THAT(telling.floors(), ElementsAre(0.5));
}

}  // namespace
}  // namespace retia
