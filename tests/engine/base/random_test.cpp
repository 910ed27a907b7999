#include "retia/engine/base/random.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

namespace retia {
namespace {

double chi_square(const std::vector<int64_t>& counts, double expected) {
  double sum = 0;
  for (const int64_t count : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

TEST(Mix, DependsOnEveryWordAndTheirOrder) {
  const std::set<uint64_t> keys = {mix({}),     mix({0}),    mix({1}),    mix({0, 0}), mix({0, 1}),
                                   mix({1, 0}), mix({1, 1}), mix({0, 2}), mix({2, 0})};
  EXPECT_EQ(keys.size(), 9);
  EXPECT_EQ(mix({3, 1, 4}), mix({3, 1, 4}));
}

TEST(Mix, FlipsHalfOfTheBitsWhenOneBitOfAWordChanges) {
  double flipped = 0;
  for (uint64_t bit = 0; bit < 64; ++bit) {
    flipped += __builtin_popcountll(mix({7, 0}) ^ mix({7, uint64_t{1} << bit}));
  }
  EXPECT_NEAR(flipped / 64, 32, 2);
}

TEST(Random, DrawsWhatSplitMix64DrawsSoThatMachinesAgree) {
  // The published first outputs of SplitMix64 from state 0.
  Random random(0);
  random.set_state("0000000000000000");
  EXPECT_EQ(random.next(), 0xe220a8397b1dcdafULL);
  EXPECT_EQ(random.next(), 0x6e789e6aa1b965f4ULL);
  EXPECT_EQ(random.next(), 0x06c45d188009454fULL);
}

TEST(Random, GivesTheSameNumbersForOneSeedAndOthersForAnother) {
  Random one(5);
  Random same(5);
  Random other(6);
  const uint64_t first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

TEST(Random, ContinuesFromItsState) {
  Random random(11);
  random.normal();
  random.choose(3, 9);
  Random restored(0);
  restored.set_state(random.state());
  EXPECT_EQ(restored.permutation(20), random.permutation(20));
  EXPECT_EQ(restored.state(), random.state());
}

TEST(Random, RefusesAStateThatIsNotOne) {
  Random random(1);
  EXPECT_THROW(random.set_state(""), c10::Error);
  EXPECT_THROW(random.set_state("00000000000000zz"), c10::Error);
  EXPECT_THROW(random.set_state("12"), c10::Error);
}

TEST(Random, DrawsUniformNumbersWithTheRightMoments) {
  Random random(3);
  constexpr int kDraws = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.005);
}

TEST(Random, DrawsNormalNumbersWithTheRightMoments) {
  Random random(4);
  constexpr int kDraws = 100000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
  EXPECT_NEAR(fourth / kDraws, 3, 0.2);
}

TEST(Random, DrawsBelowANumberUniformly) {
  Random random(8);
  std::vector<int64_t> counts(7);
  for (int i = 0; i < 70000; ++i) {
    ++counts.at(random.below(7));
  }
  EXPECT_LT(chi_square(counts, 10000), 22.46);  // 6 degrees of freedom, p = 0.001
  EXPECT_EQ(random.below(1), 0);
  EXPECT_THROW(random.below(0), c10::Error);
}

TEST(Random, StaysUnbiasedWhereTheRangeDoesNotDivideTheWord) {
  // A plain remainder would draw the first two thirds of this range 1.5 times as often as the last.
  Random random(9);
  const int64_t n = 3 * (int64_t{1} << 61);
  std::vector<int64_t> counts(3);
  for (int i = 0; i < 30000; ++i) {
    ++counts.at(random.below(n) >> 61);
  }
  EXPECT_LT(chi_square(counts, 10000), 13.82);  // 2 degrees of freedom, p = 0.001
}

TEST(Random, ChoosesEverySetEquallyOften) {
  Random random(1);
  std::map<std::vector<int64_t>, int64_t> seen;
  for (int i = 0; i < 20000; ++i) {
    const std::vector<int64_t> chosen = random.choose(3, 6);
    ASSERT_EQ(chosen.size(), 3);
    ASSERT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    ASSERT_EQ(std::set<int64_t>(chosen.begin(), chosen.end()).size(), 3);
    ++seen[chosen];
  }
  ASSERT_EQ(seen.size(), 20);
  std::vector<int64_t> counts;
  for (const auto& [chosen, count] : seen) {
    counts.push_back(count);
  }
  EXPECT_LT(chi_square(counts, 1000), 43.82);  // 19 degrees of freedom, p = 0.001
}

TEST(Random, ChoosesNoneAndAll) {
  Random random(2);
  EXPECT_TRUE(random.choose(0, 4).empty());
  EXPECT_EQ(random.choose(4, 4), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_THROW(random.choose(5, 4), c10::Error);
  EXPECT_THROW(random.choose(-1, 4), c10::Error);
}

TEST(Random, PermutesIntoEveryOrderEquallyOften) {
  Random random(12);
  std::map<std::vector<int64_t>, int64_t> seen;
  for (int i = 0; i < 24000; ++i) {
    ++seen[random.permutation(4)];
  }
  ASSERT_EQ(seen.size(), 24);
  std::vector<int64_t> counts;
  for (const auto& [order, count] : seen) {
    counts.push_back(count);
  }
  EXPECT_LT(chi_square(counts, 1000), 49.73);  // 23 degrees of freedom, p = 0.001
  EXPECT_TRUE(random.permutation(0).empty());
}

}  // namespace
}  // namespace retia
