#include "retia/engine/experiment/median_stop.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "retia/engine/base/random.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

constexpr MedianStopOptions kAtOnce = {.min_trials = 1};

// The averages are 0.2 0.3 0.4, 0.5 0.5 0.5 and 0.8 0.7 0.5.
TEST(MedianStop, TakesTheMedianOfRunningAveragesAsByHand) {
  MedianStop rule(Direction::Maximise, kAtOnce);
  EXPECT_THAT(rule.floors(), testing::IsEmpty());
  rule.add({0.2, 0.4, 0.6});
  EXPECT_THAT(rule.floors(), ElementsAre(DoubleEq(0.2), DoubleEq(0.3), DoubleEq(0.4)));
  rule.add({0.5, 0.5, 0.5});
  EXPECT_THAT(rule.floors(), ElementsAre(DoubleEq(0.35), DoubleEq(0.4), DoubleEq(0.45)));
  rule.add({0.8, 0.6, 0.1});
  EXPECT_THAT(rule.floors(), ElementsAre(DoubleEq(0.5), DoubleEq(0.5), DoubleEq(0.5)));
}

TEST(MedianStop, CountsAStoppedTrialForTheEpochsItHad) {
  MedianStop rule(Direction::Maximise, kAtOnce);
  rule.add({0.4, 0.6});
  rule.add({0.2});
  EXPECT_THAT(rule.floors(), ElementsAre(DoubleEq(0.3), DoubleEq(0.5)));
}

TEST(MedianStop, LeavesFirstTrialsAndFirstEpochsAlone) {
  MedianStop rule(Direction::Maximise, {.min_trials = 2, .min_epochs = 2});
  rule.add({5, 5, 5});
  for (const double floor : rule.floors()) {
    EXPECT_LT(floor, -1e300);
  }
  rule.add({7, 7});
  EXPECT_THAT(rule.floors(), ElementsAre(testing::Lt(-1e300), DoubleEq(6), testing::Lt(-1e300)));
  MedianStop errors(Direction::Minimise);
  errors.add({5});
  EXPECT_THAT(errors.floors(), ElementsAre(testing::Gt(1e300)));
  EXPECT_EQ(Json::parse(Json(errors.floors()).dump()).get<std::vector<double>>(), errors.floors());
}

TEST(MedianStop, AgreesWithTheDefinitionOnRandomTrials) {
  Random random(3);
  MedianStop rule(Direction::Minimise, {.min_trials = 4});
  std::vector<std::vector<double>> trials;
  for (int64_t i = 0; i < 60; ++i) {
    std::vector<double> values(static_cast<size_t>(1 + random.below(6)));
    for (double& value : values) {
      value = random.uniform();
    }
    rule.add(values);
    trials.push_back(values);
  }
  const std::vector<double> floors = rule.floors();
  ASSERT_EQ(floors.size(), 6u);
  for (size_t e = 0; e < 6; ++e) {
    std::vector<double> averages;
    for (const auto& values : trials) {
      if (values.size() > e) {
        double sum = 0;
        for (size_t i = 0; i <= e; ++i) {
          sum += values[i];
        }
        averages.push_back(sum / static_cast<double>(e + 1));
      }
    }
    // Half of them are on either side.
    const auto n = static_cast<int64_t>(averages.size());
    const auto below =
        std::count_if(averages.begin(), averages.end(), [&](double a) { return a < floors[e]; });
    EXPECT_EQ(below, n / 2) << e;
  }
}

// The averages are -, 0.4, 0.5 and 0.2, 0.2, 0.5 of those that are numbers.
TEST(MedianStop, LeavesOutEpochsThatHaveNoNumber) {
  MedianStop rule(Direction::Maximise, kAtOnce);
  rule.add({std::nan(""), 0.4, 0.6});
  rule.add({0.2, std::nan(""), 0.8});
  EXPECT_THAT(rule.floors(), ElementsAre(DoubleEq(0.2), DoubleEq(0.3), DoubleEq(0.5)));
}

TEST(MedianStop, RefusesInfinityAndOptionsOutOfRange) {
  EXPECT_EQ(error_of([] {
              MedianStop(Direction::Maximise).add({1, HUGE_VAL});
            }),
            "the objective became inf in epoch 2");
  EXPECT_EQ(error_of([] { MedianStop(Direction::Maximise, {.min_trials = 0}); }),
            "median stop: min_trials and min_epochs must be at least 1, got 0 and 1");
}

}  // namespace
}  // namespace retia
