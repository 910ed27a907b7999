#include "retia/engine/base/rank_correlation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

TEST(RankCorrelation, IsThatDerivedByHand) {
  const std::vector<double> x = {1, 2, 3, 4, 5}, y = {1, 3, 2, 5, 4};
  EXPECT_NEAR(kendall_tau(x, y), 0.6, 1e-12);   // 8 concordant, 2 discordant of 10
  EXPECT_NEAR(spearman_rho(x, y), 0.8, 1e-12);  // 1 - 6 * 4 / (5 * 24)
  const std::vector<double> tied = {1, 1, 2, 3};
  // Pairs with {1, 2, 3, 4}: one tie of six; 5 / sqrt(5 * 6).
  EXPECT_NEAR(kendall_tau(tied, {1, 2, 3, 4}), 5 / std::sqrt(30.0), 1e-12);
  // Ranks 1.5, 1.5, 3, 4 against 1 to 4: covariance 4.5, variances 4.5 and 5.
  EXPECT_NEAR(spearman_rho(tied, {1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5), 1e-12);
  EXPECT_TRUE(std::isnan(kendall_tau({1, 1}, {1, 2})));
}

TEST(RankCorrelation, TakesTiesInBothLists) {
  const std::vector<double> x = {1, 2, 2, 3}, y = {1, 1, 2, 3};
  // One pair is tied in x, another in y, the other four agree: 4 / sqrt(5 * 5).
  EXPECT_NEAR(kendall_tau(x, y), 0.8, 1e-12);
  // Ranks 1, 2.5, 2.5, 4 against 1.5, 1.5, 3, 4: covariance 3.75, variances 4.5.
  EXPECT_NEAR(spearman_rho(x, y), 3.75 / 4.5, 1e-12);
  EXPECT_NEAR(kendall_tau({1, 1, 2}, {5, 5, 6}), 1,
              1e-12);  // a pair tied in both counts in neither
}

TEST(RankCorrelation, HasAnIntervalThatHoldsTheTruthMostly) {
  // Normal pairs of correlation r have tau = 2 / pi asin(r).
  constexpr double r = 0.5;
  const double truth = 2 / M_PI * std::asin(r);
  int64_t held = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    std::vector<double> x, y;
    for (int i = 0; i < 40; ++i) {
      x.push_back(random.normal());
      y.push_back(r * x.back() + std::sqrt(1 - r * r) * random.normal());
    }
    const Interval found = bootstrap(kendall_tau, x, y, seed, 300);
    EXPECT_EQ(found.value, kendall_tau(x, y));
    held += found.low <= truth && truth <= found.high ? 1 : 0;
  }
  EXPECT_GE(held, 85);
}

}  // namespace
}  // namespace retia
