#include "retia/kernels/stencil/norm.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/var.h>
#include <gtest/gtest.h>

#include <vector>

#include "retia/tests/kernels/on_ranks.h"

namespace retia::kernels::cpu {
namespace {

constexpr int64_t kChannels = 8;

/// Centre, sum of distances and sum of squared distances of each column of y, [3, c].
template <class T>
std::vector<T> moments_of(const at::Tensor& y) {
  const at::Tensor distances = y - y[0];
  const at::Tensor all = at::stack({y[0], distances.sum(0), distances.square().sum(0)});
  const T* const numbers = all.template const_data_ptr<T>();
  return {numbers, numbers + all.numel()};
}

/// The moments of y, [pixels, c], added part by part.
BatchMoments<double> batch_of(const at::Tensor& y, const std::vector<int64_t>& parts) {
  BatchMoments<double> batch(kChannels);
  int64_t first = 0;
  for (const int64_t n : parts) {
    batch.add(moments_of<double>(y.slice(0, first, first + n)).data(), n, kChannels);
    first += n;
  }
  return batch;
}

void expect_moments_of(const at::Tensor& y, const BatchMoments<double>& batch) {
  const at::Tensor mean = y.mean(0), square = (y - mean).square().sum(0);
  EXPECT_EQ(batch.count, y.size(0));
  for (int64_t k = 0; k < kChannels; ++k) {
    EXPECT_NEAR(batch.mean[k], mean[k].item<double>(), 1e-12);
    EXPECT_NEAR(batch.square[k], square[k].item<double>(), 1e-10);
  }
}

at::Tensor pixels(int64_t n) { return at::randn({n, kChannels}, at::kDouble) * 3 + 5; }

TEST(BatchMoments, AreThoseOfAllPartsTogether) {
  const at::Tensor y = pixels(30);
  for (const std::vector<int64_t>& parts :
       std::vector<std::vector<int64_t>>{{30}, {1, 29}, {10, 10, 10}, {7, 1, 1, 21}}) {
    expect_moments_of(y, batch_of(y, parts));
  }
}

TEST(BatchMoments, KeepTheVarianceOfLargeNumbers) {
  const at::Tensor y = pixels(30) + 1e8;
  const BatchMoments<double> batch = batch_of(y, {10, 20});
  const at::Tensor variance = at::var(y, {0}, /*unbiased=*/false);
  for (int64_t k = 0; k < kChannels; ++k) {
    EXPECT_NEAR(batch.square[k] / 30, variance[k].item<double>(), 1e-5);
  }
}

TEST(BatchMoments, AreJoinedOverRanks) {
  const at::Tensor y = pixels(32);
  results_on_ranks(2, 0, 1, [&](int64_t rank, SumOverRanks& ranks) {
    std::vector<BatchMoments<double>> batches;
    for (const int64_t factor : {1, 2}) {
      batches.push_back(batch_of(share_of(y, rank, 2) * factor, {4, 12}));
    }
    join_over_ranks(batches, kChannels, ranks);
    expect_moments_of(y, batches[0]);
    expect_moments_of(y * 2, batches[1]);
    return std::vector<at::Tensor>{at::ones({1}), at::ones({1})};
  });
}

TEST(Normalisation, IsByTheBiasedVariance) {
  // Of 1, 2, 6: the mean is 3, the squares about it are 14.
  BatchMoments<double> batch(1);
  const double moments[] = {1, 0 + 1 + 5, 0 + 1 + 25};
  batch.add(moments, 3, 1);
  double norm[2];
  normalise_by_batch(norm, batch, 0.5, 1);
  EXPECT_DOUBLE_EQ(norm[0], 3);
  EXPECT_DOUBLE_EQ(norm[1], 1 / std::sqrt(14.0 / 3 + 0.5));
  normalise_by_running(norm, at::tensor({4.0}, at::kDouble), at::tensor({8.5}, at::kDouble), 0.5,
                       1);
  EXPECT_DOUBLE_EQ(norm[0], 4);
  EXPECT_DOUBLE_EQ(norm[1], 1 / 3.0);
}

/// The gradient of Σ g · f · (y - mean) / deviation in y, by differences.
TEST(Normalisation, HasTheGradientOfDifferences) {
  const at::Tensor y = pixels(9).narrow(1, 0, 1).contiguous(), g = at::randn({9, 1}, at::kDouble);
  constexpr double kFactor = 1.5, kEpsilon = 0.1, kStep = 1e-5;
  const auto loss = [&](const at::Tensor& at) {
    const at::Tensor mean = at.mean(0), variance = (at - mean).square().mean(0);
    return (kFactor * g * (at - mean) / (variance + kEpsilon).sqrt()).sum().item<double>();
  };
  const at::Tensor mean = y.mean(0);
  const double norm[] = {mean.item<double>(),
                         1 / std::sqrt((y - mean).square().mean().item<double>() + kEpsilon)};
  const double sums[] = {g.sum().item<double>(), (g * (y - mean)).sum().item<double>()};
  double coefficients[3];
  set_coefficients(coefficients, norm, sums, kFactor, 9, /*training=*/true, 1, 0);
  for (int64_t i = 0; i < 9; ++i) {
    at::Tensor up = y.clone(), down = y.clone();
    up[i] += kStep;
    down[i] -= kStep;
    const double wanted = (loss(up) - loss(down)) / (2 * kStep);
    EXPECT_NEAR(coefficients[0] * g[i].item<double>() + coefficients[1] * y[i].item<double>() +
                    coefficients[2],
                wanted, 1e-8);
  }
  set_coefficients(coefficients, norm, sums, kFactor, 9, /*training=*/false, 1, 0);
  EXPECT_DOUBLE_EQ(coefficients[0], kFactor * norm[1]);
  EXPECT_EQ(coefficients[1], 0);
  EXPECT_EQ(coefficients[2], 0);
}

}  // namespace
}  // namespace retia::kernels::cpu
