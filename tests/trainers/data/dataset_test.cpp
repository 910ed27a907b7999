#include "retia/trainers/data/dataset.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace retia {
namespace {

Dataset images(int64_t n) {
  return {.name = "images",
          .inputs = at::randint(256, {n, 2, 3, 4}, at::kByte),
          .targets = at::arange(n).remainder(3),
          .n_classes = 3};
}

TEST(Dataset, GivesASubsetInTheOrderAskedFor) {
  Dataset set = images(5);
  set.mean = {0.5, 0.25};
  const Dataset part = set.subset({4, 1});
  EXPECT_TRUE(part.inputs[0].equal(set.inputs[4]));
  EXPECT_TRUE(part.inputs[1].equal(set.inputs[1]));
  EXPECT_TRUE(part.targets.equal(at::tensor({1, 1}, at::kLong)));
  EXPECT_EQ(part.mean, set.mean);
  EXPECT_EQ(part.sample_shape(), (std::vector<int64_t>{2, 3, 4}));
  EXPECT_THROW(set.subset({5}), c10::Error);
  EXPECT_THROW(set.subset({-1}), c10::Error);
}

TEST(Dataset, ComputesTheStatisticsOfEachChannelOfTheTrainingImages) {
  DataSplits splits = {.train = images(50), .test = images(5)};
  splits.train.inputs.select(1, 1).fill_(51);
  splits = with_statistics(splits);
  const at::Tensor first = splits.train.inputs.select(1, 0).to(at::kDouble).div(255);
  EXPECT_NEAR(splits.train.mean.at(0), first.mean().item<double>(), 1e-12);
  EXPECT_NEAR(splits.train.std.at(0), first.std(false).item<double>(), 1e-12);
  EXPECT_NEAR(splits.train.mean.at(1), 0.2, 1e-12);
  EXPECT_EQ(splits.train.std.at(1), 1) << "a channel that does not vary is not scaled";
  EXPECT_EQ(splits.test.mean, splits.train.mean);
  EXPECT_EQ(splits.test.std, splits.train.std);
}

TEST(Dataset, ComputesTheStatisticsOfEachFeature) {
  const Dataset table = {.name = "table",
                         .inputs = at::tensor({1.f, 7.f, 3.f, 7.f}).view({2, 2}),
                         .targets = at::zeros({2})};
  const DataSplits splits = with_statistics({.train = table, .test = table});
  EXPECT_EQ(splits.test.mean, (std::vector<double>{2, 7}));
  EXPECT_EQ(splits.test.std, (std::vector<double>{1, 1}));
}

TEST(Dataset, IsRefusedWherePartsDoNotFit) {
  EXPECT_NO_THROW(check_dataset(images(3)));
  Dataset set = images(3);
  set.targets = at::zeros({2}, at::kLong);
  EXPECT_THROW(check_dataset(set), c10::Error);
  set.targets = at::zeros({3});
  EXPECT_THROW(check_dataset(set), c10::Error);
  set.targets = at::full({3}, 3, at::kLong);
  EXPECT_THROW(check_dataset(set), c10::Error);
  set = images(3);
  set.inputs = set.inputs.flatten(1);
  EXPECT_THROW(check_dataset(set), c10::Error);
  EXPECT_THROW(check_dataset(images(0)), c10::Error);
  EXPECT_THROW(check_dataset({.name = "none", .inputs = {}, .targets = {}}), c10::Error);
}

TEST(SplitIndices, MakeTwoDisjointAscendingParts) {
  const auto [first, second] = split_indices(101, 0.3, 7);
  EXPECT_EQ(first.size(), 30);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  EXPECT_TRUE(std::is_sorted(second.begin(), second.end()));
  std::vector<int64_t> all = first;
  all.insert(all.end(), second.begin(), second.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), 101);
  EXPECT_EQ(all.front(), 0);
  EXPECT_EQ(all.back(), 100);
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(SplitIndices, DependOnTheSeedOnly) {
  EXPECT_EQ(split_indices(100, 0.5, 1), split_indices(100, 0.5, 1));
  EXPECT_NE(split_indices(100, 0.5, 1), split_indices(100, 0.5, 2));
}

TEST(SplitIndices, TakeNoneAndAll) {
  EXPECT_TRUE(split_indices(4, 0, 1).first.empty());
  EXPECT_TRUE(split_indices(4, 1, 1).second.empty());
  EXPECT_THROW(split_indices(4, 1.1, 1), c10::Error);
  EXPECT_THROW(split_indices(4, -0.1, 1), c10::Error);
  EXPECT_THROW(split_indices(-1, 0.5, 1), c10::Error);
}

}  // namespace
}  // namespace retia
