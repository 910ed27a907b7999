#include "retia/kernels/argument.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/quantize_per_tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace retia::kernels {
namespace {

at::Tensor meta(at::IntArrayRef sizes, at::ScalarType dtype) {
  return at::empty(sizes, at::TensorOptions(at::kMeta).dtype(dtype));
}

TEST(Argument, IsDescribedWithWhatItIs) {
  EXPECT_EQ(described(at::Tensor()), "undefined");
  EXPECT_EQ(described(at::zeros({2, 3}, at::kDouble)), "Double [2, 3] on cpu");
  EXPECT_EQ(described(meta({0}, at::kHalf)), "Half [0] on meta");
  EXPECT_EQ(described(at::zeros({2, 2}).to_sparse()), "a tensor of dtype Float and layout Sparse");
}

TEST(Argument, IsAnArrayWhereItsNumbersLieInMemory) {
  EXPECT_TRUE(is_array(at::zeros({2, 3}).t()));
  EXPECT_TRUE(is_array(at::zeros({}, at::kLong)));
  EXPECT_TRUE(is_array(meta({2}, at::kFloat)));
  EXPECT_FALSE(is_array(at::Tensor()));
  EXPECT_FALSE(is_array(at::zeros({2, 2}).to_sparse()));
  EXPECT_FALSE(is_array(at::quantize_per_tensor(at::zeros({2}), 0.1, 0, at::kQInt8)));
}

TEST(Argument, IsABatchOfImagesOfFloatsThatIsNotEmpty) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    EXPECT_TRUE(is_batch_of_images(at::zeros({1, 2, 3, 4}, dtype)));
    EXPECT_TRUE(is_batch_of_images(meta({1, 2, 3, 4}, dtype)));
  }
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16, at::kLong, at::kComplexFloat}) {
    EXPECT_FALSE(is_batch_of_images(at::zeros({1, 2, 3, 4}, dtype))) << dtype;
  }
  EXPECT_FALSE(is_batch_of_images(at::zeros({2, 3, 4})));
  EXPECT_FALSE(is_batch_of_images(at::zeros({1, 2, 0, 4})));
  EXPECT_FALSE(is_batch_of_images(at::Tensor()));
}

TEST(Argument, GoesWithXWhereDeviceAndDtypeFit) {
  EXPECT_EQ(dtype_beside(meta({1}, at::kHalf)), at::kFloat);
  EXPECT_EQ(dtype_beside(meta({1}, at::kBFloat16)), at::kFloat);
  EXPECT_EQ(dtype_beside(meta({1}, at::kDouble)), at::kDouble);
  EXPECT_TRUE(goes_with(meta({1}, at::kFloat), meta({2}, at::kBFloat16)));
  EXPECT_FALSE(goes_with(meta({1}, at::kBFloat16), meta({2}, at::kBFloat16)));
  EXPECT_FALSE(goes_with(at::zeros({1}), meta({2}, at::kFloat)));
  EXPECT_FALSE(goes_with(at::zeros({1}), at::zeros({1}, at::kDouble)));
  EXPECT_FALSE(goes_with(at::Tensor(), at::zeros({1})));
}

TEST(Argument, OfAStrideIsRoundedUp) {
  for (int64_t size = 1; size < 20; ++size) {
    for (const int64_t stride : {1, 2, 3, 7, 30}) {
      EXPECT_EQ(
          n_strided(size, stride),
          static_cast<int64_t>(std::ceil(static_cast<double>(size) / static_cast<double>(stride))));
    }
  }
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(n_strided(int64_t{32}, kMost), 1);
  EXPECT_EQ(n_strided(kMost, int64_t{1}), kMost);
}

TEST(Argument, IsRoundedUpToWholeGroupsAsASymbolToo) {
  for (const int64_t n : {0, 1, 7, 8, 9, 16, 17}) {
    EXPECT_EQ(whole(c10::SymInt(n)).expect_int(), whole(n));
    EXPECT_EQ(whole(n), (n / 8 + (n % 8 == 0 ? 0 : 1)) * 8);
  }
}

}  // namespace
}  // namespace retia::kernels
