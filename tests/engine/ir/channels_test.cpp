#include "engine/ir/channels.h"

#include <gmock/gmock.h>

namespace retia::ir {
namespace {

using testing::ElementsAre;

const Dim kWidth = ValueChoice<int64_t>("width", {8, 16});

TEST(Channels, AreTheSumOfTheirParts) {
  const Dim all = joined(joined(kWidth, 3), 2 * kWidth);
  EXPECT_EQ(all.at({{"width", {{1}}}}).value(), 16 + 3 + 32);
  EXPECT_EQ(all.max(), 51);
  EXPECT_EQ(joined(3, 4), Dim(7));
  EXPECT_EQ(Json::parse(Json(all).dump()).get<Dim>(), all);
}

TEST(Channels, RememberTheirPartsButNotBetweenDecidedOnes) {
  EXPECT_THAT(parts(7), ElementsAre(Dim(7)));
  EXPECT_THAT(parts(kWidth + 3), ElementsAre(kWidth + 3));
  EXPECT_THAT(parts(joined(0, kWidth)), ElementsAre(kWidth));
  EXPECT_THAT(parts(0), ElementsAre(Dim(0)));
  EXPECT_THAT(parts(joined(joined(kWidth, 3), joined(4, kWidth))),
              ElementsAre(kWidth, Dim(7), kWidth));
}

TEST(Channels, AreAlikeWhereTheirPartsAre) {
  EXPECT_TRUE(same_parts(joined(kWidth, kWidth * 2), joined(kWidth, kWidth + kWidth)));
  EXPECT_TRUE(same_parts(joined(3, 4), 7));
  EXPECT_FALSE(same_parts(joined(kWidth, kWidth), 2 * kWidth));
  EXPECT_FALSE(same_parts(joined(kWidth, 3), joined(3, kWidth)));
}

TEST(Channels, AreANumberWhereEveryArchitectureGivesTheSame) {
  EXPECT_EQ(settled(kWidth - kWidth + 5), Dim(5));
  EXPECT_EQ(settled(kWidth), kWidth);
  EXPECT_EQ(settled(4), Dim(4));
}

}  // namespace
}  // namespace retia::ir
