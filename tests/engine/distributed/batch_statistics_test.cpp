#include "retia/engine/distributed/batch_statistics.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <torch/autograd.h>

#include "retia/tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

using testing::Each;

at::Tensor drawn(at::IntArrayRef sizes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(sizes, generator, at::TensorOptions(at::kDouble));
}

void expect_near(const at::Tensor& a, const at::Tensor& b, const char* what) {
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-11) << what;
}

/// Each rank's share of 6 samples against batch_norm of all of them.
void expect_that_of_the_whole_batch(at::IntArrayRef sizes, bool affine) {
  const int64_t channels = sizes[1];
  const at::Tensor x = (drawn(sizes, 1) * 3 + 5).requires_grad_();
  const at::Tensor weight = affine ? drawn({channels}, 2).requires_grad_() : at::Tensor();
  const at::Tensor bias = affine ? drawn({channels}, 3).requires_grad_() : at::Tensor();
  const at::Tensor mean = at::zeros({channels}, at::kDouble);
  const at::Tensor variance = at::ones({channels}, at::kDouble);
  const at::Tensor to = drawn(sizes, 4);
  const at::Tensor y = at::batch_norm(x, weight, bias, mean, variance, true, 0.1, 1e-5, false);
  std::vector<at::Tensor> of = {x};
  if (affine) {
    of.insert(of.end(), {weight, bias});
  }
  const auto expected = torch::autograd::grad({(y * y * to).sum()}, of);

  for (const int64_t n : {2, 3}) {
    std::vector<std::vector<at::Tensor>> found(static_cast<size_t>(n));
    EXPECT_THAT(in_ranks(n,
                         [&](Ranks& ranks) {
                           const int64_t share = sizes[0] / n, first = ranks.rank() * share;
                           const auto mine = [&](const at::Tensor& whole) {
                             return whole.detach().slice(0, first, first + share);
                           };
                           const at::Tensor x_here = mine(x).clone().requires_grad_();
                           const auto copy = [](const at::Tensor& t) {
                             return t.defined() ? t.detach().clone().requires_grad_()
                                                : at::Tensor();
                           };
                           const at::Tensor w = copy(weight), b = copy(bias);
                           const at::Tensor m = at::zeros({channels}, at::kDouble);
                           const at::Tensor v = at::ones({channels}, at::kDouble);
                           const at::Tensor y_here =
                               synchronised_batch_norm(x_here, w, b, m, v, 0.1, 1e-5, ranks);
                           expect_near(y_here, mine(y), "output");
                           expect_near(m, mean, "running mean");
                           expect_near(v, variance, "running variance");
                           std::vector<at::Tensor> of_here = {x_here};
                           if (affine) {
                             of_here.insert(of_here.end(), {w, b});
                           }
                           auto gradients =
                               torch::autograd::grad({(y_here * y_here * mine(to)).sum()}, of_here);
                           expect_near(gradients[0], mine(expected[0]), "gradient of x");
                           found[static_cast<size_t>(ranks.rank())] = gradients;
                         }),
                Each(""));
    for (size_t i = 1; i < of.size(); ++i) {
      at::Tensor sum = found[0][i];
      for (size_t r = 1; r < found.size(); ++r) {
        sum = sum + found[r][i];
      }
      expect_near(sum, expected[i], "gradient of weight or bias");
    }
  }
}

TEST(SynchronisedBatchNorm, IsThatOfTheWholeBatchForwardAndBackward) {
  expect_that_of_the_whole_batch({6, 3, 4, 5}, true);
  expect_that_of_the_whole_batch({6, 3, 4, 5}, false);
  expect_that_of_the_whole_batch({6, 7}, true);
}

TEST(SynchronisedBatchNorm, KeepsNoStatisticsWhereThereAreNone) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         const at::Tensor y = synchronised_batch_norm(
                             drawn({1, 3}, static_cast<uint64_t>(ranks.rank())), {}, {}, {}, {},
                             0.1, 0, ranks);
                         // Two values a channel, one on each rank, come to 1 and -1.
                         expect_near(y.abs(), at::ones_like(y), "output");
                       }),
              Each(""));
}

}  // namespace
}  // namespace retia
