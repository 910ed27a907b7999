#include "retia/kernels/running_statistics.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "retia/tests/error_of.h"

namespace retia::kernels {
namespace {

using testing::HasSubstr;

/// Count, mean and sum of squares about the mean of each channel of y, as [3, C].
at::Tensor moments_of(const at::Tensor& y) {
  const at::Tensor rows = y.to(at::kDouble).transpose(0, 1).flatten(1);
  const at::Tensor mean = rows.mean(1);
  const at::Tensor square = (rows - mean.unsqueeze(1)).square().sum(1);
  return at::stack({at::ones_like(mean) * rows.size(1), mean, square});
}

TEST(MoveRunning, MovesByHand) {
  const at::Tensor mean = at::zeros({1}, at::kDouble) + 10;
  const at::Tensor variance = at::zeros({1}, at::kDouble) + 4;
  // Of the values 1, 2, 6: the mean is 3, the squares about it are 4 + 1 + 9.
  const at::Tensor batch = at::zeros({1, 3, 1}, at::kDouble);
  batch[0][0][0] = 3, batch[0][1][0] = 3, batch[0][2][0] = 14;
  move_running({mean, variance}, batch, 0.25);
  EXPECT_DOUBLE_EQ(mean.item<double>(), 0.75 * 10 + 0.25 * 3);
  EXPECT_DOUBLE_EQ(variance.item<double>(), 0.75 * 4 + 0.25 * 7);
}

TEST(MoveRunning, MovesAsBatchNormOfAtenDoes) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    std::vector<at::Tensor> ours, wanted, batches;
    for (int64_t i = 0; i < 3; ++i) {
      const at::Tensor y = at::randn({4, 5, 3, 2}, dtype) + i;
      for (const at::Tensor& statistic : {at::randn({5}, dtype), at::randn({5}, dtype).square()}) {
        ours.push_back(statistic.clone());
        wanted.push_back(statistic.clone());
      }
      batches.push_back(moments_of(y));
      const auto mean = static_cast<size_t>(2 * i);
      at::batch_norm(y, {}, {}, wanted[mean], wanted[mean + 1], true, 0.3, 1e-5, false);
    }
    move_running(ours, at::stack(batches), 0.3);
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_TRUE(at::allclose(ours[i], wanted[i], dtype == at::kFloat ? 1e-5 : 1e-12, 1e-7));
    }
  }
}

std::string refusal(const std::vector<at::Tensor>& running, const at::Tensor& batch) {
  return error_of([&] { move_running(running, batch, 0.1); });
}

TEST(MoveRunning, RefusesWhatDoesNotFit) {
  const at::Tensor batch = at::ones({1, 3, 4}, at::kDouble) * 2;
  const std::vector<at::Tensor> good = {at::zeros({4}), at::ones({4})};
  EXPECT_EQ(refusal(good, batch), "(no error)");
  const std::string wants_batch = "batch must be contiguous float64";
  EXPECT_THAT(refusal(good, batch.to(at::kFloat)), HasSubstr(wants_batch));
  EXPECT_THAT(refusal(good, batch[0]), HasSubstr(wants_batch));
  EXPECT_THAT(refusal(good, at::ones({1, 4, 3}, at::kDouble).transpose(1, 2)),
              HasSubstr(wants_batch));
  EXPECT_THAT(refusal({at::zeros({4})}, batch),
              HasSubstr("expected mean and variance of each of 1 normalisations, got 1 tensors"));
  const std::string wants_running = "running statistics must be contiguous float32 or float64, [4]";
  EXPECT_THAT(refusal({at::zeros({5}), at::ones({5})}, batch), HasSubstr(wants_running));
  EXPECT_THAT(refusal({at::zeros({8}).slice(0, 0, 8, 2), at::ones({4})}, batch),
              HasSubstr(wants_running));
  EXPECT_THAT(refusal({at::zeros({4}), at::ones({4}, at::kDouble)}, batch),
              HasSubstr(wants_running));
  EXPECT_THAT(refusal({at::zeros({4}, at::kHalf), at::ones({4}, at::kHalf)}, batch),
              HasSubstr(wants_running));
  EXPECT_THAT(refusal({at::zeros({4}).requires_grad_(), at::ones({4})}, batch),
              HasSubstr("running statistics take no gradient"));
}

TEST(MoveRunning, HasSizesOnlyForMetaTensors) {
  const at::TensorOptions meta(at::kMeta);
  const at::Tensor batch = at::empty({1, 3, 4}, meta.dtype(at::kDouble));
  move_running({at::empty({4}, meta), at::empty({4}, meta)}, batch, 0.1);
  EXPECT_THAT(refusal({at::empty({3}, meta), at::empty({3}, meta)}, batch), HasSubstr("[4]"));
}

}  // namespace
}  // namespace retia::kernels
