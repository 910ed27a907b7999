#include "retia/engine/base/json_difference.h"

#include <gtest/gtest.h>

namespace retia {
namespace {

TEST(JsonDifference, ListsEachEntryThatDiffers) {
  const Json before = {{"a", 1}, {"b", {{"c", {1, 2}}, {"d", "x"}}}, {"gone", true}};
  const Json now = {{"a", 1}, {"b", {{"c", {2, 1}}, {"d", "x"}}}, {"new", 0}};
  const std::vector<JsonChange> found = changes_between(before, now);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(to_string(found[0]), "b.c was [1,2] and is [2,1] now");
  EXPECT_EQ(to_string(found[1]), "gone was true and is not given now");
  EXPECT_EQ(to_string(found[2]), "new was not given and is 0 now");
  EXPECT_TRUE(changes_between(now, now).empty());
}

TEST(JsonDifference, TellsAnObjectFromAValue) {
  const std::vector<JsonChange> found = changes_between({{"a", {{"b", 1}}}}, {{"a", nullptr}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(to_string(found[0]), R"(a was {"b":1} and is null now)");
}

TEST(JsonDifference, ShortensALongValue) {
  const std::string text =
      to_string(changes_between({{"a", std::string(5000, 'x')}}, {{"a", 1}}).front());
  EXPECT_LT(text.size(), 150u);
  EXPECT_EQ(text.substr(0, 9), "a was \"xx");
}

}  // namespace
}  // namespace retia
