#include "retia/engine/symbolic/channels.h"

#include <gmock/gmock.h>

namespace retia::ir {
namespace {

using testing::ElementsAre;

const Dim kEightOr16 = ValueChoice<int64_t>("width", {8, 16});

TEST(Channels, AreTheSumOfTheirParts) {
  const Dim all = joined(joined(kEightOr16, 3), 2 * kEightOr16);
  EXPECT_EQ(all.at({{"width", {{1}}}}).value(), 16 + 3 + 32);
  EXPECT_EQ(all.max(), 51);
  EXPECT_EQ(joined(3, 4), Dim(7));
  EXPECT_EQ(Json::parse(Json(all).dump()).get<Dim>(), all);
}

TEST(Channels, RememberTheirPartsButNotBetweenDecidedOnes) {
  EXPECT_THAT(parts(7), ElementsAre(Dim(7)));
  EXPECT_THAT(parts(kEightOr16 + 3), ElementsAre(kEightOr16 + 3));
  EXPECT_THAT(parts(joined(0, kEightOr16)), ElementsAre(kEightOr16));
  EXPECT_THAT(parts(0), ElementsAre(Dim(0)));
  EXPECT_THAT(parts(joined(joined(kEightOr16, 3), joined(4, kEightOr16))),
              ElementsAre(kEightOr16, Dim(7), kEightOr16));
}

TEST(Channels, AreAlikeWhereTheirPartsAre) {
  EXPECT_TRUE(
      same_parts(joined(kEightOr16, kEightOr16 * 2), joined(kEightOr16, kEightOr16 + kEightOr16)));
  EXPECT_TRUE(same_parts(joined(3, 4), 7));
  EXPECT_FALSE(same_parts(joined(kEightOr16, kEightOr16), 2 * kEightOr16));
  EXPECT_FALSE(same_parts(joined(kEightOr16, 3), joined(3, kEightOr16)));
}

TEST(Channels, AreANumberWhereEveryArchitectureGivesTheSame) {
  EXPECT_EQ(settled(kEightOr16 - kEightOr16 + 5), Dim(5));
  EXPECT_EQ(settled(kEightOr16), kEightOr16);
  EXPECT_EQ(settled(4), Dim(4));
}

}  // namespace
}  // namespace retia::ir
