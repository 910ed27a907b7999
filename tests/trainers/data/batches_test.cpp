#include "retia/trainers/data/batches.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "retia/engine/base/device.h"
#include "retia/trainers/data/synthetic.h"

namespace retia {
namespace {

/// 23 images whose targets are their indices.
Dataset numbered_images() {
  Dataset set = with_statistics(make_synthetic({.n_train = 23, .n_test = 1, .channels = 2})).train;
  set.targets = at::arange(23);
  set.n_classes = 23;
  return set;
}

constexpr AugmentOptions kAugment = {.crop_padding = 2, .flip = Flip::Horizontal, .cutout = 3};

std::vector<int64_t> targets_of(const Batches& batches, int64_t epoch) {
  std::vector<int64_t> targets;
  for (int64_t i = 0; i < batches.n_batches(); ++i) {
    const at::Tensor part = batches.batch(epoch, i).targets.cpu();
    targets.insert(targets.end(), part.const_data_ptr<int64_t>(),
                   part.const_data_ptr<int64_t>() + part.numel());
  }
  return targets;
}

bool equal(const Batch& a, const Batch& b) {
  return a.inputs.equal(b.inputs) && a.targets.equal(b.targets) && a.sample_keys == b.sample_keys;
}

TEST(Batches, VisitEverySampleOnceAnEpoch) {
  const Batches batches(numbered_images(), {.batch_size = 5});
  ASSERT_EQ(batches.n_batches(), 5);
  EXPECT_EQ(batches.batch(0, 4).size(), 3);
  std::vector<int64_t> targets = targets_of(batches, 0);
  EXPECT_FALSE(std::is_sorted(targets.begin(), targets.end()));
  std::sort(targets.begin(), targets.end());
  std::vector<int64_t> expected(23);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(targets, expected);
}

TEST(Batches, MayLeaveOutASmallerLastBatch) {
  const Batches batches(numbered_images(), {.batch_size = 5, .last = LastBatch::Drop});
  EXPECT_EQ(batches.n_batches(), 4);
  EXPECT_EQ(batches.n_samples(), 20);
  EXPECT_EQ(targets_of(batches, 0).size(), 20);
}

TEST(Batches, KeepTheGivenOrderWhereAskedTo) {
  const Batches batches(numbered_images(), {7, 3, 5},
                        {.batch_size = 2, .order = SampleOrder::Given});
  EXPECT_EQ(targets_of(batches, 0), (std::vector<int64_t>{7, 3, 5}));
  EXPECT_EQ(targets_of(batches, 1), (std::vector<int64_t>{7, 3, 5}));
}

TEST(Batches, AreAPureFunctionOfSeedEpochAndNumber) {
  const Dataset set = numbered_images();
  const BatchOptions options = {.batch_size = 5, .seed = 4, .augment = kAugment};
  const Batches batches(set, options);
  const Batch later = batches.batch(3, 2);
  batches.batch(0, 0);
  EXPECT_TRUE(equal(batches.batch(3, 2), later));
  EXPECT_TRUE(equal(Batches(set, options).batch(3, 2), later)) << "nothing came before this batch";
  EXPECT_FALSE(equal(batches.batch(4, 2), later));
  BatchOptions other = options;
  other.seed = 5;
  EXPECT_FALSE(equal(Batches(set, other).batch(3, 2), later));
}

TEST(Batches, ShuffleAnewEachEpoch) {
  const Batches batches(numbered_images(), {.batch_size = 5});
  EXPECT_NE(targets_of(batches, 0), targets_of(batches, 1));
}

TEST(Batches, AugmentASampleAlikeInWhateverBatchItIs) {
  const Dataset set = numbered_images();
  const Batches whole(set, {.batch_size = 23, .order = SampleOrder::Given, .augment = kAugment});
  const Batches part(set, {11}, {.batch_size = 1, .augment = kAugment});
  const Batch expected = whole.batch(6, 0);
  const Batch one = part.batch(6, 0);
  EXPECT_TRUE(one.inputs[0].equal(expected.inputs[11]));
  EXPECT_EQ(one.sample_keys.at(0), expected.sample_keys.at(11));
  EXPECT_FALSE(part.batch(7, 0).inputs.equal(one.inputs)) << "and otherwise in the next epoch";
}

TEST(Batches, GiveEverySampleOfEveryEpochItsOwnKey) {
  const Batches batches(numbered_images(), {.batch_size = 5});
  std::set<uint64_t> keys;
  for (int64_t epoch = 0; epoch < 4; ++epoch) {
    for (int64_t i = 0; i < batches.n_batches(); ++i) {
      const Batch batch = batches.batch(epoch, i);
      ASSERT_EQ(static_cast<int64_t>(batch.sample_keys.size()), batch.size());
      keys.insert(batch.sample_keys.begin(), batch.sample_keys.end());
    }
  }
  EXPECT_EQ(keys.size(), 4 * 23);
}

TEST(Batches, NormaliseImages) {
  const Dataset set = numbered_images();
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    const Batches batches(set, {.batch_size = 23, .order = SampleOrder::Given, .dtype = dtype});
    const at::Tensor inputs = batches.batch(0, 0).inputs;
    EXPECT_EQ(inputs.scalar_type(), dtype);
    const at::Tensor mean = at::tensor(set.mean, at::kDouble).view({2, 1, 1});
    const at::Tensor std = at::tensor(set.std, at::kDouble).view({2, 1, 1});
    const at::Tensor expected = (set.inputs.to(at::kDouble) / 255 - mean) / std;
    EXPECT_TRUE(inputs.allclose(expected.to(dtype), 0, dtype == at::kFloat ? 1e-6 : 1e-12));
    EXPECT_NEAR(inputs.mean().item<double>(), 0, 1e-5);
    EXPECT_NEAR(inputs.std(false).item<double>(), 1, 1e-5);
  }
}

TEST(Batches, StandardiseTablesAndKeepRealTargets) {
  const Dataset table = {.name = "table",
                         .inputs = at::tensor({1.f, 7.f, 3.f, 9.f}).view({2, 2}),
                         .targets = at::tensor({0.5f, -2.f})};
  const Dataset set = with_statistics({.train = table, .test = table}).train;
  const Batches batches(set, {.order = SampleOrder::Given, .dtype = at::kDouble});
  const Batch batch = batches.batch(0, 0);
  EXPECT_TRUE(batch.inputs.equal(at::tensor({-1., -1., 1., 1.}, at::kDouble).view({2, 2})));
  EXPECT_TRUE(batch.targets.equal(at::tensor({0.5, -2.}, at::kDouble)));
  EXPECT_EQ(set.inputs[0][0].item<float>(), 1) << "the data set itself is left alone";
}

TEST(Batches, AreTheSameOnEveryDevice) {
  const Dataset set = numbered_images();
  const Batch expected =
      Batches(set, {.batch_size = 7, .seed = 1, .augment = kAugment}).batch(1, 1);
  for (const at::Device device : available_devices()) {
    const Batches batches(set, {.batch_size = 7, .seed = 1, .augment = kAugment, .device = device});
    const Batch batch = batches.batch(1, 1);
    EXPECT_EQ(batch.inputs.device().type(), device.type());
    EXPECT_TRUE(batch.inputs.cpu().equal(expected.inputs));
    EXPECT_TRUE(batch.targets.cpu().equal(expected.targets));
  }
}

TEST(Batches, RefuseWhatTheyCannotServe) {
  const Dataset set = numbered_images();
  EXPECT_THROW(Batches(set, {.batch_size = 0}), c10::Error);
  EXPECT_THROW(Batches(set, {.batch_size = 24, .last = LastBatch::Drop}), c10::Error);
  EXPECT_THROW(Batches(set, {23}, {}), c10::Error);
  EXPECT_THROW(Batches(set, std::vector<int64_t>(), {}), c10::Error);
  EXPECT_THROW(Batches(set, {.dtype = at::kHalf}), c10::Error);
  EXPECT_THROW(Batches(set, {.augment = {.cutout = -1}}), c10::Error);
  Dataset without_statistics = set;
  without_statistics.mean.clear();
  EXPECT_THROW(Batches(without_statistics, BatchOptions()), c10::Error);
  const Batches batches(set, {.batch_size = 5});
  EXPECT_THROW(batches.batch(0, 5), c10::Error);
  EXPECT_THROW(batches.batch(0, -1), c10::Error);
  EXPECT_THROW(batches.batch(-1, 0), c10::Error);
}

}  // namespace
}  // namespace retia
