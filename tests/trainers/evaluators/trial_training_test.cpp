#include "retia/trainers/evaluators/trial_training.h"

#include <gtest/gtest.h>

#include <cmath>

#include "retia/tests/trainers/evaluators/trials.h"

namespace retia {
namespace {

TEST(BelowFloors, ComparesTheBestValueSoFar) {
  const Trial trial = with_floors({0.25, 0.5});
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {}));
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {0.25}));
  EXPECT_TRUE(below_floors(trial, Direction::Maximise, {0.25, 0.25}));
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {0.5, 0.25}));
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {0, 0, 0}));
  EXPECT_TRUE(below_floors(trial, Direction::Minimise, {0.75}));
  EXPECT_FALSE(below_floors(trial, Direction::Minimise, {0.75, 0.5}));
}

TEST(BelowFloors, PassesOverEpochsThatHaveNoNumber) {
  const double none = std::nan("");
  const Trial trial = with_floors({0.25, 0.5, 0.5});
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {none}));
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {0.1, none}));
  EXPECT_TRUE(below_floors(trial, Direction::Maximise, {none, 0.25}));
  EXPECT_TRUE(below_floors(trial, Direction::Maximise, {0.25, none, 0.25}));
  EXPECT_FALSE(below_floors(trial, Direction::Maximise, {0.75, none, 0.25}));
}

}  // namespace
}  // namespace retia
