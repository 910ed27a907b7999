#include "retia/trainers/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

constexpr double kLr = 0.4, kLast = 0.1;

/// At the beginning of each epoch.
std::vector<double> rates(const ScheduleOptions& options, int64_t epochs) {
  std::vector<double> found;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    found.push_back(learning_rate(options, kLr, kLast, static_cast<double>(epoch), epochs));
  }
  return found;
}

MATCHER(IsSameRate, "") { return std::abs(std::get<0>(arg) - std::get<1>(arg)) < 1e-14; }

// The numbers are those of PyTorch 2.11's schedulers, stepped once an epoch.

TEST(Schedule, IsCosineAnnealingLrs) {
  EXPECT_THAT(rates({}, 6), Pointwise(IsSameRate(), {0.4, 0.37990381056766587, 0.325, 0.25, 0.175,
                                                     0.1200961894323342}));
}

TEST(Schedule, IsLinearLrs) {
  EXPECT_THAT(rates({.shape = ScheduleShape::Linear}, 6),
              Pointwise(IsSameRate(), {0.4, 0.35, 0.3, 0.25, 0.2, 0.15}));
}

TEST(Schedule, IsMultiStepLrs) {
  EXPECT_THAT(rates({.shape = ScheduleShape::Step, .milestones = {2, 5}, .gamma = 0.5}, 7),
              Pointwise(IsSameRate(), {0.4, 0.4, 0.2, 0.2, 0.2, 0.1, 0.1}));
}

TEST(Schedule, IsStepLrs) {
  EXPECT_THAT(rates({.shape = ScheduleShape::Step, .step_size = 3}, 8),
              Pointwise(IsSameRate(), {0.4, 0.4, 0.4, 0.04, 0.04, 0.04, 0.004, 0.004}));
}

TEST(Schedule, IsConstant) {
  EXPECT_THAT(rates({.shape = ScheduleShape::Constant}, 3),
              Pointwise(IsSameRate(), {0.4, 0.4, 0.4}));
}

TEST(Schedule, IsSequentialLrsOfLinearLrAndAnother) {
  EXPECT_THAT(
      rates({.warmup_epochs = 2, .warmup_factor = 0.25}, 6),
      Pointwise(IsSameRate(), {0.1, 0.25, 0.4, 0.35606601717798214, 0.25, 0.1439339828220179}));
  EXPECT_THAT(rates({.shape = ScheduleShape::Linear, .warmup_epochs = 2, .warmup_factor = 0.25}, 6),
              Pointwise(IsSameRate(), {0.1, 0.25, 0.4, 0.325, 0.25, 0.175}));
}

TEST(Schedule, WarmsUpFromStepToStep) {
  // LinearLR(0.25, total_iters=6), stepped three times an epoch.
  std::vector<double> found;
  for (int64_t step = 0; step < 6; ++step) {
    found.push_back(learning_rate({.warmup_epochs = 2, .warmup_factor = 0.25}, kLr, kLast,
                                  static_cast<double>(step) / 3, 6));
  }
  EXPECT_THAT(found, Pointwise(IsSameRate(), {0.1, 0.15, 0.2, 0.25, 0.3, 0.35}));
}

TEST(Schedule, CountsMilestonesFromTheBeginningAndHoldsWithinAnEpoch) {
  const ScheduleOptions step = {
      .shape = ScheduleShape::Step, .warmup_epochs = 1, .milestones = {2}, .gamma = 0.5};
  EXPECT_DOUBLE_EQ(learning_rate(step, kLr, kLast, 1.9, 4), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate(step, kLr, kLast, 2.0, 4), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate({}, kLr, kLast, 3.5, 6), learning_rate({}, kLr, kLast, 3, 6));
  // A training that is all warm-up, and the rest of an epoch whose half was.
  EXPECT_DOUBLE_EQ(learning_rate({.warmup_epochs = 4, .warmup_factor = 0}, kLr, kLast, 1, 2), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate({.warmup_epochs = 0.5}, kLr, kLast, 0.75, 2), 0.4);
}

TEST(Schedule, RefusesOptionsOutOfRange) {
  const auto error = [](const ScheduleOptions& options) {
    return error_of([&] { check_schedule_options(options, "weight_optimizer.schedule"); });
  };
  EXPECT_EQ(error({}), "(no error)");
  EXPECT_THAT(error({.warmup_epochs = -1}),
              HasSubstr("weight_optimizer.schedule.warmup_epochs must be at least 0, got -1"));
  EXPECT_THAT(error({.warmup_factor = 2}), HasSubstr("warmup_factor must be at most 1, got 2"));
  EXPECT_THAT(error({.shape = ScheduleShape::Step}), HasSubstr("needs milestones or a step_size"));
  EXPECT_THAT(error({.milestones = {3}}), HasSubstr("milestones and step_size are of shape step"));
  EXPECT_THAT(error({.shape = ScheduleShape::Step, .milestones = {3, 1}}),
              HasSubstr("milestones must ascend"));
  EXPECT_THAT(error({.shape = ScheduleShape::Step, .milestones = {3}, .step_size = 2}),
              HasSubstr("give either milestones or step_size"));
  EXPECT_THAT(error({.shape = ScheduleShape::Step, .step_size = 2, .gamma = 0}),
              HasSubstr("gamma must be above 0"));
}

TEST(Schedule, IsReadFromJson) {
  const Json json = {{"shape", "step"}, {"milestones", {2, 5}}, {"gamma", 0.5}};
  const auto options = json.get<ScheduleOptions>();
  EXPECT_DOUBLE_EQ(learning_rate(options, kLr, kLast, 5, 7), 0.1);
  EXPECT_EQ(Json(options).at("milestones"), Json({2, 5}));
  EXPECT_THAT(error_of([] {
                Json{{"milestones", std::vector(21, 1)}}.get<ScheduleOptions>();
              }),
              HasSubstr("a schedule has at most 20 milestones"));
}

}  // namespace
}  // namespace retia
