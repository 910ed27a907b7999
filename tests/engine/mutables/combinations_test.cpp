#include "retia/engine/mutables/combinations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace retia {
namespace {

using testing::ElementsAre;

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();

Mutable choice(int64_t n, std::optional<int64_t> n_chosen) {
  return {.label = "choice",
          .kind = MutableKind::InputChoice,
          .names = std::vector<std::string>(static_cast<size_t>(n), "x"),
          .n_chosen = n_chosen};
}

TEST(Combinations, CountsSetsUpToALimit) {
  EXPECT_EQ(n_sets(0, 5, 10), 1);
  EXPECT_EQ(n_sets(2, 5, 10), 10);
  EXPECT_FALSE(n_sets(2, 5, 9));
  EXPECT_EQ(n_sets(6, 5, 10), 0);
  EXPECT_EQ(n_sets(33, 66, kLargest), 7219428434016265740);
  EXPECT_FALSE(n_sets(34, 68, kLargest));
}

TEST(Combinations, ListsTheSetsOfOneSizeInTheOrderOfTheirRanks) {
  std::vector<int64_t> set = first_set(3);
  EXPECT_THAT(set, ElementsAre(0, 1, 2));
  int64_t rank = 0;
  do {
    EXPECT_EQ(rank_of(set, 6), rank);
    EXPECT_EQ(set_at(rank, 3, 6), set);
    ++rank;
  } while (next_set(set, 6));
  EXPECT_EQ(rank, n_sets(3, 6, 100));
  EXPECT_THAT(set, ElementsAre(3, 4, 5));
}

TEST(Combinations, KnowsTheOneEmptySet) {
  std::vector<int64_t> set = first_set(0);
  EXPECT_FALSE(next_set(set, 4));
  EXPECT_EQ(rank_of(set, 4), 0);
  EXPECT_THAT(set_at(0, 0, 4), ElementsAre());
}

TEST(Combinations, CountsJointDecisionsUpToALimit) {
  const std::vector<Mutable> mutables = {choice(4, 2), choice(3, std::nullopt), choice(5, 1)};
  EXPECT_EQ(n_combinations(mutables, 6 * 8 * 5), 6 * 8 * 5);
  EXPECT_FALSE(n_combinations(mutables, 6 * 8 * 5 - 1));
  EXPECT_EQ(n_combinations({choice(62, std::nullopt)}, kLargest), int64_t{1} << 62);
  EXPECT_FALSE(n_combinations({choice(64, std::nullopt)}, kLargest));
  EXPECT_EQ(n_combinations({}, 1), 1);
}

}  // namespace
}  // namespace retia
