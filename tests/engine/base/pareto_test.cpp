#include "retia/engine/base/pareto.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

using testing::ElementsAre;

std::vector<Objectives> random_points(Random& random, int64_t n, int64_t n_objectives) {
  std::vector<Objectives> points(static_cast<size_t>(n));
  for (Objectives& point : points) {
    for (int64_t m = 0; m < n_objectives; ++m) {
      point.push_back(static_cast<double>(random.below(6)));  // with ties
    }
  }
  return points;
}

TEST(Pareto, SortsAHandMadeSet) {
  const std::vector<Objectives> points = {{1, 5}, {3, 3}, {5, 1}, {2, 2}, {1, 1}, {3, 3}};
  EXPECT_TRUE(dominates({3, 3}, {2, 2}));
  EXPECT_TRUE(dominates({3, 3}, {3, 2}));
  EXPECT_FALSE(dominates({3, 3}, {3, 3}));
  EXPECT_FALSE(dominates({1, 5}, {2, 2}));
  EXPECT_THAT(pareto_front(points), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(non_dominated_sort(points),
              ElementsAre(ElementsAre(0, 1, 2, 5), ElementsAre(3), ElementsAre(4)));
}

// Peeling: the points that nothing left dominates, again and again.
TEST(Pareto, SortsAsBruteForceDoes) {
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    const auto points = random_points(random, 1 + random.below(40), 1 + random.below(3));
    std::set<size_t> left;
    for (size_t i = 0; i < points.size(); ++i) {
      left.insert(i);
    }
    std::vector<std::vector<size_t>> expected;
    while (!left.empty()) {
      std::vector<size_t> front;
      for (const size_t i : left) {
        const bool beaten = std::any_of(left.begin(), left.end(), [&](size_t j) {
          bool no_worse = true, better = false;
          for (size_t m = 0; m < points[i].size(); ++m) {
            no_worse = no_worse && points[j][m] >= points[i][m];
            better = better || points[j][m] > points[i][m];
          }
          return no_worse && better;
        });
        if (!beaten) {
          front.push_back(i);
        }
      }
      for (const size_t i : front) {
        left.erase(i);
      }
      expected.push_back(front);
    }
    EXPECT_EQ(non_dominated_sort(points), expected);
    EXPECT_EQ(pareto_front(points), expected.front());
  }
}

TEST(Pareto, MeasuresCrowdingAsByHand) {
  // Ranges 4 and 8. The middle ones: (3 - 0)/4 + (8 - 1)/8 and (4 - 1)/4 + (2 - 0)/8.
  const std::vector<double> distances = crowding_distances({{0, 8}, {1, 2}, {3, 1}, {4, 0}});
  EXPECT_TRUE(std::isinf(distances[0]) && std::isinf(distances[3]));
  EXPECT_DOUBLE_EQ(distances[1], 0.75 + 7.0 / 8);
  EXPECT_DOUBLE_EQ(distances[2], 0.75 + 2.0 / 8);
}

TEST(Pareto, MeasuresCrowdingOfFewAndOfEqualPoints) {
  EXPECT_TRUE(crowding_distances({}).empty());
  EXPECT_TRUE(std::isinf(crowding_distances({{1, 2}})[0]));
  const std::vector<double> equal = crowding_distances({{1, 2}, {1, 2}, {1, 2}});
  EXPECT_EQ(std::count(equal.begin(), equal.end(), 0.0), 1);
}

// Each point's neighbours along an objective are found by looking at all others.
TEST(Pareto, MeasuresCrowdingAsBruteForceDoesWhereNothingTies) {
  Random random(2);
  for (int round = 0; round < 30; ++round) {
    std::vector<Objectives> front(3 + static_cast<size_t>(random.below(10)));
    for (Objectives& point : front) {
      point = {random.uniform(), random.uniform(), random.uniform()};
    }
    const std::vector<double> distances = crowding_distances(front);
    for (size_t i = 0; i < front.size(); ++i) {
      double expected = 0;
      for (size_t m = 0; m < 3; ++m) {
        double below = -1, above = 2, low = 2, high = -1;
        for (const Objectives& other : front) {
          low = std::min(low, other[m]);
          high = std::max(high, other[m]);
          if (other[m] < front[i][m]) below = std::max(below, other[m]);
          if (other[m] > front[i][m]) above = std::min(above, other[m]);
        }
        expected += below < 0 || above > 1 ? INFINITY : (above - below) / (high - low);
      }
      if (std::isinf(expected)) {
        EXPECT_TRUE(std::isinf(distances[i]));
      } else {
        EXPECT_NEAR(distances[i], expected, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace retia
