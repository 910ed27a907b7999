#include "retia/trainers/data/augmentation.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <cmath>

#include "retia/engine/base/random.h"
#include "retia/kernels/augment/augment_draws.h"

namespace retia {
namespace {

std::vector<uint64_t> keys(size_t n) {
  std::vector<uint64_t> result;
  for (size_t i = 0; i < n; ++i) {
    result.push_back(mix({99, i}));
  }
  return result;
}

constexpr AugmentOptions kAll = {.crop_padding = 2, .flip = Flip::Horizontal, .cutout = 3};

TEST(Augmentation, DrawsEveryValueOfItsRangesAboutEquallyOften) {
  constexpr int64_t kDraws = 8400;
  const at::Tensor table = draw_augmentations(keys(kDraws), kAll, 6, 7);
  const auto expect_uniform = [&](int64_t column, int64_t lowest, int64_t n_values) {
    const double expected = static_cast<double>(kDraws) / static_cast<double>(n_values);
    int64_t counted = 0;
    for (int64_t value = lowest; value < lowest + n_values; ++value) {
      const auto count = table.select(1, column).eq(value).sum().item<int64_t>();
      EXPECT_NEAR(count, expected, 5 * std::sqrt(expected)) << column << " " << value;
      counted += count;
    }
    EXPECT_EQ(counted, kDraws) << "nothing else is drawn in column " << column;
  };
  expect_uniform(kernels::kShiftDown, -2, 5);
  expect_uniform(kernels::kShiftRight, -2, 5);
  expect_uniform(kernels::kMirror, 0, 2);
  expect_uniform(kernels::kCutoutRow, 0, 6);
  expect_uniform(kernels::kCutoutColumn, 0, 7);
}

TEST(Augmentation, OfASampleDependsOnItsKeyAlone) {
  const std::vector<uint64_t> all = keys(10);
  const at::Tensor table = draw_augmentations(all, kAll, 8, 8);
  EXPECT_TRUE(draw_augmentations({all[7]}, kAll, 8, 8)[0].equal(table[7]));
  EXPECT_FALSE(table[6].equal(table[7]));
}

TEST(Augmentation, DoesNotChangeWhenAnotherKindIsSwitchedOff) {
  const at::Tensor all = draw_augmentations(keys(50), kAll, 8, 8);
  const at::Tensor crops = draw_augmentations(keys(50), {.crop_padding = 2}, 8, 8);
  const at::Tensor cutouts = draw_augmentations(keys(50), {.cutout = 3}, 8, 8);
  EXPECT_TRUE(crops.slice(1, 0, 2).equal(all.slice(1, 0, 2)));
  EXPECT_TRUE(cutouts.slice(1, 3, 5).equal(all.slice(1, 3, 5)));
  EXPECT_FALSE(crops.slice(1, 2).any().item<bool>());
  EXPECT_TRUE(draw_augmentations(keys(3), {}, 8, 8).equal(at::zeros({3, 5}, at::kInt)));
}

TEST(Augmentation, NormalisesEveryPixelValue) {
  const Dataset images = {.name = "images",
                          .inputs = at::zeros({1, 2, 1, 1}, at::kByte),
                          .targets = at::zeros({1}),
                          .n_classes = 0,
                          .mean = {0.5, 0},
                          .std = {0.25, 1}};
  const at::Tensor levels = pixel_levels(images, at::kDouble);
  EXPECT_EQ(levels.sizes(), (std::vector<int64_t>{2, 256}));
  EXPECT_EQ(levels[0][0].item<double>(), -2);
  EXPECT_EQ(levels[0][255].item<double>(), 2);
  EXPECT_EQ(levels[1][51].item<double>(), 0.2);
  EXPECT_TRUE(pixel_levels(images, at::kFloat).equal(levels.to(at::kFloat)));
}

TEST(Augmentation, RefusesImpossibleOptions) {
  EXPECT_NO_THROW(check_augment_options(kAll));
  EXPECT_THROW(check_augment_options({.crop_padding = -1}), c10::Error);
  EXPECT_THROW(check_augment_options({.crop_padding = 1 << 20}), c10::Error);
  EXPECT_THROW(check_augment_options({.cutout = -1}), c10::Error);
}

}  // namespace
}  // namespace retia
