#include "retia/kernels/autocast.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace retia::kernels {
namespace {

/// Autocast on the CPU to bfloat16 while it lives.
struct ToBFloat16 {
  ToBFloat16() {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
  ~ToBFloat16() { at::autocast::set_autocast_enabled(at::kCPU, false); }
};

TEST(Autocast, LeavesXAsItIsWhereItIsOff) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kBFloat16, at::kLong}) {
    EXPECT_EQ(dtype_read(at::zeros({1}, dtype)), dtype);
  }
}

TEST(Autocast, ReadsFloat32OnACpu) {
  const ToBFloat16 on;
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    EXPECT_EQ(dtype_read(at::zeros({1}, dtype)), at::kFloat);
    EXPECT_EQ(autocast(at::zeros({1}, dtype)).scalar_type(), at::kFloat);
  }
  for (const at::ScalarType dtype : {at::kDouble, at::kLong}) {
    EXPECT_EQ(dtype_read(at::zeros({1}, dtype)), dtype);
  }
}

TEST(Autocast, IsOffForOperationsWhileAskedTo) {
  const ToBFloat16 on;
  const at::Tensor a = at::zeros({2, 2});
  EXPECT_EQ(a.matmul(a).scalar_type(), at::kBFloat16);
  {
    const WithoutAutocast as_given;
    EXPECT_EQ(a.matmul(a).scalar_type(), at::kFloat);
  }
  EXPECT_EQ(a.matmul(a).scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace retia::kernels
