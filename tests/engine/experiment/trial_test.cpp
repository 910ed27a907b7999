#include "retia/engine/experiment/trial.h"

#include <gmock/gmock.h>

namespace retia {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Objective kAccuracy = {.name = "accuracy"};
const Objective kCost = {.name = "cost", .direction = Direction::Minimise};

Trial reached(int64_t id, std::vector<double> objectives) {
  return {.proposal = {.id = id}, .evaluation = {.objectives = std::move(objectives)}};
}

TEST(Trial, GainsWhereAnObjectiveBecomesBetter) {
  EXPECT_THAT(gains({kAccuracy, kCost}, reached(0, {0.9, 12})), ElementsAre(0.9, -12));
  EXPECT_THAT(gains({kAccuracy}, {}), IsEmpty());
}

TEST(Trial, StandsBeforeWorseAndBeforeLaterEqualOnes) {
  const Trial first = reached(0, {1}), second = reached(1, {1}), third = reached(2, {2});
  EXPECT_LT(standing(kAccuracy, third), standing(kAccuracy, first));
  EXPECT_LT(standing(kAccuracy, first), standing(kAccuracy, second));
  EXPECT_LT(standing(kCost, first), standing(kCost, third));
  EXPECT_LT(standing(kCost, first), standing(kCost, second));
}

TEST(Trial, ImprovesInTheDirectionOfTheObjective) {
  Trial failed = reached(3, {9});
  failed.evaluation.status = TrialStatus::Failed;
  const Trial one = reached(1, {1}), two = reached(2, {2});
  EXPECT_TRUE(improves(kAccuracy, one, std::nullopt));
  EXPECT_FALSE(improves(kAccuracy, failed, std::nullopt));
  EXPECT_TRUE(improves(kAccuracy, two, one));
  EXPECT_FALSE(improves(kCost, two, one));
  EXPECT_TRUE(improves(kCost, one, two));
  EXPECT_FALSE(improves(kCost, one, one));
}

TEST(Trial, EqualsOneOfTheSameRecord) {
  Trial one = reached(3, {1}), other = one;
  other.stop_requested = nullptr;
  EXPECT_EQ(one, other);
  other.n_attempts = 2;
  EXPECT_FALSE(one == other);
  EXPECT_FALSE(has_succeeded(Trial()));
}

}  // namespace
}  // namespace retia
