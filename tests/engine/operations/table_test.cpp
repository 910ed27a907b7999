#include "retia/engine/operations/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/hook.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(OperationTable, MakesEveryPrimitiveByItsType) {
  const OperationTable table = standard_operations();
  const std::vector<std::string> types = table.types();
  EXPECT_THAT(types, testing::IsSupersetOf({"conv2d", "linear", "relu"}));
  for (const std::string& type : types) {
    EXPECT_EQ(table.make(type).type(), type);
    EXPECT_EQ(table.make(type, table.make(type).parameters()), table.make(type));
  }
}

TEST(OperationTable, TakesCompositesAndModulesOfTheUser) {
  OperationTable table = operations_with_block();
  table.add<Hook>("my.hook");
  EXPECT_THAT(table.types(), Contains("block"));
  EXPECT_EQ(table.make("block", {{"kernel", 5}}), block({.kernel = 5}));
  EXPECT_EQ(table.make("my.hook").parameters(), (Json{{"scale", 1}}));
  EXPECT_THAT(standard_operations().types(), testing::Not(Contains("block")));
}

TEST(OperationTable, NamesTheNearestOfAnUnknownType) {
  EXPECT_THAT(error_of([] { standard_operations().make("max_pool"); }),
              HasSubstr("unknown operation 'max_pool'; did you mean 'max_pool2d'?"));
}

TEST(OperationTable, RefusesASecondOperationOfOneType) {
  OperationTable table = standard_operations();
  EXPECT_THAT(error_of([&] { table.add<Hook>("relu"); }),
              HasSubstr("operation 'relu' is in the table already"));
}

}  // namespace
}  // namespace retia
