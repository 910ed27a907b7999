#include "retia/engine/base/named_table.h"

#include <gmock/gmock.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(NamedTable, FindsWhatWasAdded) {
  NamedTable<int> table("number");
  table.add("two", 2);
  table.add("one", 1);
  EXPECT_EQ(table.at("one"), 1);
  EXPECT_THAT(table.names(), ElementsAre("one", "two"));
}

TEST(NamedTable, NamesTheNearestEntryAndRefusesASecondOfAName) {
  NamedTable<int> table("number");
  table.add("seven", 7);
  EXPECT_THAT(error_of([&] { table.at("sevem"); }), HasSubstr("unknown number 'sevem'"));
  EXPECT_THAT(error_of([&] { table.at("sevem"); }), HasSubstr("seven"));
  EXPECT_EQ(error_of([&] { table.add("seven", 8); }),
            "number 'seven' is in the table already: give the new one another name");
  EXPECT_EQ(table.at("seven"), 7);
}

}  // namespace
}  // namespace retia
