#include "retia/models/width.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

TEST(ScaledChannels, AreTheNearestMultiple) {
  EXPECT_EQ(scaled_channels(32, 0.5, 8), 16);
  EXPECT_EQ(scaled_channels(32, 1.4, 8), 48);  // 44.8
  EXPECT_EQ(scaled_channels(24, 1.5, 8), 40);  // 36 lies halfway
  EXPECT_EQ(scaled_channels(64, 0.3, 2), 20);  // 19.2
}

TEST(ScaledChannels, LoseNoMoreThanATenth) {
  EXPECT_EQ(scaled_channels(16, 1.2, 8), 24);  // 19.2: 16 would be five sixths of it
  EXPECT_EQ(scaled_channels(96, 1.01, 8), 96);
}

TEST(ScaledChannels, AreAtLeastOneMultiple) { EXPECT_EQ(scaled_channels(16, 0.1, 8), 8); }

TEST(ScaledChannels, StayAsTheyAreOfAWidthOfOne) { EXPECT_EQ(scaled_channels(5, 1, 8), 5); }

TEST(ScaledChannels, RefuseAWidthThatIsNotPositive) {
  EXPECT_THAT(error_of([] { scaled_channels(16, 0, 8); }),
              testing::HasSubstr("width must be above 0, got 0"));
}

}  // namespace
}  // namespace retia
