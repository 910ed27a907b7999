#include "retia/strategies/random.h"

#include <gmock/gmock.h>

#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/strategies/spaces.h"

namespace retia {
namespace {

/// What `strategy` proposes, until it is exhausted or `most` times.
std::vector<Architecture> ask_all(RandomStrategy& strategy, size_t most) {
  std::vector<Architecture> found;
  while (found.size() < most) {
    const Strategy::Answer answer = strategy.ask();
    if (std::holds_alternative<Exhausted>(answer)) {
      break;
    }
    found.push_back(std::get<Proposal>(answer).architecture);
  }
  return found;
}

size_t n_distinct(const std::vector<Architecture>& architectures) {
  return std::set<Architecture>(architectures.begin(), architectures.end()).size();
}

TEST(RandomStrategy, ExhaustsASpaceWithoutProposingAnythingTwice) {
  const std::vector<std::pair<ir::Graph, size_t>> spaces = {{two_by_two(), 4},
                                                            {some_of_three(2), 3},
                                                            {some_of_three(std::nullopt), 8},
                                                            {detour(), 3},
                                                            {widths(), 6}};
  for (const auto& [space, size] : spaces) {
    for (const uint64_t seed : {1, 2, 3}) {
      RandomStrategy strategy(space, {}, seed);
      const std::vector<Architecture> found = ask_all(strategy, 100);
      EXPECT_EQ(found.size(), size) << space.name();
      EXPECT_EQ(n_distinct(found), size) << space.name();
    }
  }
}

TEST(RandomStrategy, FindsTheLastOfASmallSpaceEvenWhenDrawsMissIt) {
  RandomStrategy strategy(some_of_three(std::nullopt), {.tries = 1}, 1);
  EXPECT_EQ(n_distinct(ask_all(strategy, 100)), 8u);
}

TEST(RandomStrategy, TakesALargeSpaceForExhaustedWhenDrawsGiveNothingNew) {
  Builder b("large");
  const Wire x = b.input("x", {4});
  Wire y = x;
  for (int64_t i = 0; i < 16; ++i) {
    y = b.layer_choice(std::to_string(i), {{"relu", ops::relu()}, {"skip", ops::identity()}}, {y});
  }
  // Half of all draws pass by everything, and so are one architecture.
  b.output("y", b.input_choice("way", {x, y}, {.label = "way", .names = {"past", "through"}}));
  RandomStrategy strategy(b.finish(), {.tries = 1}, 1);
  EXPECT_LT(ask_all(strategy, 1000).size(), 1000u);
}

TEST(RandomStrategy, RepeatsItselfWhenDuplicatesAreAllowed) {
  RandomStrategy strategy(two_by_two(), {.duplicates = Duplicates::Allow}, 1);
  const std::vector<Architecture> found = ask_all(strategy, 400);
  EXPECT_EQ(found.size(), 400u);
  EXPECT_EQ(n_distinct(found), 4u);
  for (const Architecture& architecture : std::set<Architecture>(found.begin(), found.end())) {
    // Five standard deviations of a binomial of 400 and 1/4.
    EXPECT_NEAR(std::count(found.begin(), found.end(), architecture), 100, 43);
  }
}

TEST(RandomStrategy, DependsOnItsSeedOnly) {
  const auto order = [](uint64_t seed) {
    RandomStrategy strategy(some_of_three(std::nullopt), {}, seed);
    return ask_all(strategy, 100);
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
}

TEST(RandomStrategy, ContinuesFromItsState) {
  RandomStrategy first(some_of_three(std::nullopt), {}, 1);
  RandomStrategy second(some_of_three(std::nullopt), {}, 2);
  ask_all(first, 3);
  second.load_state(first.state());
  EXPECT_EQ(ask_all(second, 100), ask_all(first, 100));
}

TEST(RandomStrategy, RefusesZeroTries) {
  EXPECT_EQ(error_of([] { RandomStrategy(two_by_two(), {.tries = 0}, 1); }),
            "strategy 'random'.tries must be at least 1, got 0");
}

}  // namespace
}  // namespace retia
