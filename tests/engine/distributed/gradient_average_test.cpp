#include "retia/engine/distributed/gradient_average.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <torch/autograd.h>

#include "retia/tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

using testing::Each;

std::vector<at::Tensor> grad(const at::Tensor& loss, const std::vector<at::Tensor>& of) {
  return torch::autograd::grad({loss}, of, {}, std::nullopt, false, /*allow_unused=*/true);
}

TEST(GradientAverage, IsTheMeanOverRanksWhateverTheBuckets) {
  for (const int64_t bucket_bytes : {1, 40, 1 << 20}) {
    EXPECT_THAT(in_ranks(3,
                         [&](Ranks& ranks) {
                           GradientAverage average(ranks, bucket_bytes);
                           std::vector<at::Tensor> w;
                           for (int64_t i = 1; i <= 5; ++i) {
                             w.push_back(at::full({i}, 1.0, at::kDouble).requires_grad_());
                           }
                           const at::Tensor unused = at::ones({2}).requires_grad_();
                           const at::Tensor single = at::ones({2}, at::kFloat).requires_grad_();
                           std::vector<at::Tensor> of = w;
                           of.push_back(unused);
                           of.push_back(single);
                           for (int64_t pass = 0; pass < 3; ++pass) {
                             const auto factor = static_cast<double>(ranks.rank() + pass);
                             at::Tensor loss = (single * factor).sum().to(at::kDouble);
                             for (const at::Tensor& x : w) {
                               loss = loss + (x * x).sum() * factor;
                             }
                             const auto found = average(of, [&] { return grad(loss, of); });
                             const double mean = static_cast<double>(1 + pass);
                             for (size_t i = 0; i < w.size(); ++i) {
                               EXPECT_TRUE(found[i].equal(at::full_like(w[i], 2 * mean)));
                             }
                             EXPECT_FALSE(found[5].defined());
                             EXPECT_TRUE(found[6].equal(at::full_like(single, mean)));
                           }
                         }),
                Each(""));
  }
}

TEST(GradientAverage, SendsWhileThePassStillRuns) {
  EXPECT_THAT(in_ranks(2,
                       [](Ranks& ranks) {
                         GradientAverage average(ranks, 1);
                         const at::Tensor first = at::ones({3}).requires_grad_();
                         const at::Tensor last = at::ones({3}).requires_grad_();
                         const at::Tensor middle = first * 2;
                         const at::Tensor loss = (middle * last).sum();
                         // When the pass comes to what lies before, the sum of the last weight's
                         // gradient has been begun: a call made here comes after it on all ranks.
                         bool met = false;
                         middle.register_hook([&](const at::Tensor&) {
                           const at::Tensor mark = at::ones({1});
                           ranks.sum(mark);
                           met = mark.item<double>() == 2;
                         });
                         const std::vector<at::Tensor> of = {first, last};
                         const auto found = average(of, [&] { return grad(loss, of); });
                         EXPECT_TRUE(met);
                         EXPECT_TRUE(found[0].equal(at::full({3}, 2.0F)));
                       }),
              Each(""));
}

TEST(GradientAverage, LeavesNoHookBehind) {
  const at::Tensor w = at::ones({2}).requires_grad_();
  Ranks alone({}, 1);
  {
    GradientAverage average(alone);
    const std::vector<at::Tensor> of = {w};
    average(of, [&] { return grad((w * w).sum(), of); });
  }
  EXPECT_TRUE(grad((w * w).sum(), {w})[0].equal(at::full({2}, 2.0F)));
}

}  // namespace
}  // namespace retia
