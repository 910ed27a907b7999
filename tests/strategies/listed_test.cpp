#include "retia/strategies/listed.h"

#include <gtest/gtest.h>

namespace retia {
namespace {

TEST(ListedStrategy, ProposesWhatItIsGivenInOrderAndContinuesFromItsState) {
  const std::vector<Architecture> all = {{{"a", {{1}}}}, {{"a", {{0}}}}};
  ListedStrategy strategy(all);
  EXPECT_EQ(std::get<Proposal>(strategy.ask()), (Proposal{.id = 0, .architecture = all[0]}));
  ListedStrategy later(all);
  later.load_state(strategy.state());
  for (ListedStrategy* each : {&strategy, &later}) {
    EXPECT_EQ(std::get<Proposal>(each->ask()), (Proposal{.id = 1, .architecture = all[1]}));
    EXPECT_TRUE(std::holds_alternative<Exhausted>(each->ask()));
  }
}

}  // namespace
}  // namespace retia
