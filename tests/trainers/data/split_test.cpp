#include "retia/trainers/data/split.h"

#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "retia/tests/error_of.h"
#include "retia/trainers/data/csv.h"
#include "retia/trainers/data/data_sets.h"

namespace retia {
namespace {

/// A table whose rows have these classes.
Dataset of_classes(const std::vector<int64_t>& classes) {
  const int64_t n_classes = *std::max_element(classes.begin(), classes.end()) + 1;
  return {.name = "rows",
          .inputs = at::rand({static_cast<int64_t>(classes.size()), 2}),
          .targets = at::tensor(classes, at::kLong),
          .n_classes = n_classes};
}

/// `counts[c]` rows of each class c, sorted by class.
Dataset with_counts(const std::vector<int64_t>& counts) {
  std::vector<int64_t> classes;
  for (size_t c = 0; c < counts.size(); ++c) {
    classes.insert(classes.end(), static_cast<size_t>(counts[c]), static_cast<int64_t>(c));
  }
  return of_classes(classes);
}

/// The number of samples of each class among `indices`.
std::vector<int64_t> counted(const Dataset& set, const std::vector<int64_t>& indices) {
  std::vector<int64_t> counts(static_cast<size_t>(set.n_classes));
  for (const int64_t index : indices) {
    ++counts[static_cast<size_t>(set.targets[index].item<int64_t>())];
  }
  return counts;
}

TEST(Split, HoldsEverySampleOnceAndKeepsTheShareOfEachClass) {
  const Dataset set = with_counts({40, 20, 100});
  const Split split = split_of(set, 0.25, 3);
  EXPECT_EQ(counted(set, split.valid), (std::vector<int64_t>{10, 5, 25}));
  EXPECT_EQ(counted(set, split.train), (std::vector<int64_t>{30, 15, 75}));
  EXPECT_TRUE(std::is_sorted(split.valid.begin(), split.valid.end()));
  std::vector<int64_t> both = split.train, all(160);
  both.insert(both.end(), split.valid.begin(), split.valid.end());
  std::sort(both.begin(), both.end());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(both, all);
}

TEST(Split, RoundsByLargestRemainderToTheExactNumber) {
  // Shares of 10 of 30: 4.33, 3.33 and 2.33; the first of equal remainders gets what is left.
  const Dataset set = with_counts({13, 10, 7});
  EXPECT_EQ(counted(set, drawn_samples(set, 10, 0)), (std::vector<int64_t>{5, 3, 2}));
  for (int64_t n = 0; n <= 30; ++n) {
    EXPECT_EQ(drawn_samples(set, n, 5).size(), static_cast<size_t>(n));
  }
}

TEST(Split, LeavesNoClassOfSeveralSamplesOutOfEitherPart) {
  const Dataset rare = with_counts({97, 2, 1});
  EXPECT_EQ(counted(rare, split_of(rare, 0.1, 1).valid), (std::vector<int64_t>{9, 1, 0}));
  EXPECT_EQ(counted(rare, split_of(rare, 0.9, 1).valid), (std::vector<int64_t>{88, 1, 1}));
  EXPECT_TRUE(split_of(rare, 0, 1).valid.empty());
  EXPECT_TRUE(split_of(rare, 1, 1).train.empty());
}

TEST(Split, DrawsEverySampleOfAClassEquallyOften) {
  const Dataset set = with_counts({4, 6});
  std::vector<int64_t> times(10);
  constexpr int64_t kDraws = 4000;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    for (const int64_t index : drawn_samples(set, 5, seed)) {
      ++times[static_cast<size_t>(index)];
    }
  }
  for (const int64_t n : times) {  // binomial: 2000 with a deviation of 32
    EXPECT_NEAR(static_cast<double>(n), kDraws / 2.0, 160);
  }
}

TEST(Split, DependsOnTheSeedAndSplitsNumbersAtRandom) {
  const Dataset classes = with_counts({50, 50});
  EXPECT_EQ(split_of(classes, 0.5, 1).valid, split_of(classes, 0.5, 1).valid);
  EXPECT_NE(split_of(classes, 0.5, 1).valid, split_of(classes, 0.5, 2).valid);
  Dataset numbers = classes;
  numbers.n_classes = 0;
  numbers.targets = numbers.targets.to(at::kFloat);
  EXPECT_EQ(split_of(numbers, 0.3, 7).valid, split_indices(100, 0.3, 7).first);
  EXPECT_EQ(error_of([&] { drawn_samples(classes, 101, 0); }),
            "data set 'rows' has 100 samples, but 101 are asked for");
  EXPECT_EQ(error_of([&] { split_of(classes, 1.5, 0); }),
            "data.valid_fraction must be at least 0 and at most 1, got 1.5");
}

}  // namespace
}  // namespace retia
