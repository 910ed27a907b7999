#include "mutators/strategies.h"

#include <gmock/gmock.h>

#include "tests/engine/io/temporary_folder.h"
#include "tests/mutators/strategies/spaces.h"

namespace retia {
namespace {

using testing::ElementsAre;

TEST(StrategyTable, MakesStrategiesByNameAndNamesTheNearest) {
  const StrategyTable table = standard_strategies();
  EXPECT_THAT(table.names(), ElementsAre("grid", "random", "spos_evolution"));
  const auto grid = table.make("grid", Json::object(), two_by_two(), 1);
  EXPECT_EQ(std::get<Proposal>(grid->ask()).id, 0);
  EXPECT_EQ(error_of([&] { table.make("gird", Json::object(), two_by_two(), 1); }),
            "unknown strategy 'gird'; did you mean 'grid'?");
  EXPECT_EQ(error_of([&] {
              table.make("random", {{"trie", 3}}, two_by_two(), 1);
            }),
            "strategy 'random': unknown key 'trie'; did you mean 'tries'?");
}

}  // namespace
}  // namespace retia
