#include "retia/strategies/grid.h"

#include <gmock/gmock.h>

#include <set>

#include "retia/tests/strategies/spaces.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// All that a grid over `space` proposes, until it is exhausted.
std::vector<Architecture> all(const ir::Graph& space) {
  GridStrategy grid(space);
  std::vector<Architecture> found;
  Strategy::Answer answer = grid.ask();
  while (const auto* proposal = std::get_if<Proposal>(&answer)) {
    EXPECT_EQ(proposal->id, static_cast<int64_t>(found.size()));
    found.push_back(proposal->architecture);
    answer = grid.ask();
  }
  EXPECT_TRUE(std::holds_alternative<Exhausted>(answer));
  EXPECT_TRUE(std::holds_alternative<Exhausted>(grid.ask()));
  return found;
}

Architecture edges(std::vector<int64_t> chosen) { return {{"edges", {std::move(chosen)}}}; }

TEST(GridStrategy, ProposesEachOfTwoByTwoOnceInOrder) {
  EXPECT_THAT(all(two_by_two()), ElementsAre(Architecture{{"first", {{0}}}, {"second", {{0}}}},
                                             Architecture{{"first", {{0}}}, {"second", {{1}}}},
                                             Architecture{{"first", {{1}}}, {"second", {{0}}}},
                                             Architecture{{"first", {{1}}}, {"second", {{1}}}}));
}

TEST(GridStrategy, ProposesEverySetOfTheChosenNumberOfInputs) {
  EXPECT_THAT(all(some_of_three(1)), ElementsAre(edges({0}), edges({1}), edges({2})));
  EXPECT_THAT(all(some_of_three(2)), ElementsAre(edges({0, 1}), edges({0, 2}), edges({1, 2})));
  EXPECT_THAT(all(some_of_three(3)), ElementsAre(edges({0, 1, 2})));
}

TEST(GridStrategy, ProposesEverySetWhereAnyNumberMayBeChosen) {
  EXPECT_THAT(all(some_of_three(std::nullopt)),
              ElementsAre(edges({}), edges({0}), edges({1}), edges({2}), edges({0, 1}),
                          edges({0, 2}), edges({1, 2}), edges({0, 1, 2})));
}

TEST(GridStrategy, ProposesOnceWhatDiffersOnlyInWhatNothingReaches) {
  EXPECT_THAT(all(detour()), ElementsAre(Architecture{{"way", {{0}}}},
                                         Architecture{{"body", {{0}}}, {"way", {{1}}}},
                                         Architecture{{"body", {{1}}}, {"way", {{1}}}}));
}

TEST(GridStrategy, ProposesEveryValueOfAValueChoice) {
  const std::vector<Architecture> found = all(widths());
  EXPECT_EQ(found.size(), 6u);
  EXPECT_EQ(found.front(), (Architecture{{"width", {{0}}}, {"last", {{0}}}}));
  EXPECT_EQ(found.back(), (Architecture{{"width", {{2}}}, {"last", {{1}}}}));
}

TEST(GridStrategy, ProposesASpaceWithoutChoicesOnce) {
  Builder b("plain");
  b.output("y", b.add("relu", ops::relu(), {b.input("x", {4})}));
  EXPECT_THAT(all(b.finish()), ElementsAre(Architecture{}));
}

TEST(GridStrategy, ShufflesWithoutLosingAny) {
  for (const auto& space :
       {two_by_two(), some_of_three(2), some_of_three(std::nullopt), detour(), widths()}) {
    std::set<std::vector<Architecture>> orders;
    const std::vector<Architecture> sorted = all(space);
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      GridStrategy grid(space, {.order = GridOrder::Shuffled}, seed);
      std::vector<Architecture> found;
      for (Strategy::Answer answer = grid.ask(); std::holds_alternative<Proposal>(answer);
           answer = grid.ask()) {
        found.push_back(std::get<Proposal>(answer).architecture);
      }
      EXPECT_THAT(found, testing::UnorderedElementsAreArray(sorted)) << space.name();
      orders.insert(found);
    }
    EXPECT_GE(orders.size(), 4u) << space.name();
  }
}

TEST(GridStrategy, ProposesOnlyWhatIsAdmitted) {
  const auto admits = [](const Architecture& a) { return a.at("width").chosen.front() == 1; };
  for (const GridOrder order : {GridOrder::Lexicographic, GridOrder::Shuffled}) {
    GridStrategy grid(Domain(widths(), admits), {.order = order}, 1);
    EXPECT_TRUE(std::holds_alternative<Proposal>(grid.ask()));
    EXPECT_TRUE(std::holds_alternative<Proposal>(grid.ask()));
    EXPECT_TRUE(std::holds_alternative<Exhausted>(grid.ask()));
  }
}

TEST(GridStrategy, ContinuesFromItsState) {
  GridStrategy first(two_by_two()), second(two_by_two());
  first.ask();
  first.ask();
  second.load_state(first.state());
  EXPECT_EQ(std::get<Proposal>(second.ask()),
            (Proposal{.id = 2, .architecture = {{"first", {{1}}}, {"second", {{0}}}}}));
  first.ask();
  first.ask();
  first.ask();
  second.load_state(first.state());
  EXPECT_TRUE(std::holds_alternative<Exhausted>(second.ask()));
}

}  // namespace
}  // namespace retia
