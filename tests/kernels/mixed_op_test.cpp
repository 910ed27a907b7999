#include "retia/kernels/mixed_op/mixed_op.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op_cases.h"
#include "retia/tests/kernels/on_ranks.h"
#include "retia/tests/kernels/on_threads.h"
#include "retia/tests/kernels/results.h"

namespace retia::kernels {
namespace {

using MixedOpFunction = decltype(&mixed_op);
using Inputs = MixedOpInputs;

/// Result, gradients of x, blend and weights, running statistics after it.
Results all_results(MixedOpFunction function, const Inputs& in, at::ScalarType dtype) {
  const auto leaf = [dtype](const at::Tensor& t) {
    return t.detach().to(dtype).clone().requires_grad_();
  };
  std::vector<at::Tensor> leaves = {leaf(in.x), leaf(in.blend)};
  for (const at::Tensor& weight : in.weights) {
    leaves.push_back(leaf(weight));
  }
  std::vector<at::Tensor> running;
  for (const at::Tensor& statistic : in.running) {
    running.push_back(statistic.to(dtype).clone());
  }
  const at::Tensor out =
      function(leaves[0], leaves[1], at::TensorList(leaves).slice(2), running, in.options);
  return results_of(out, leaves, in.gradient.to(dtype), running);
}

double tolerance(at::ScalarType dtype) { return dtype == at::kDouble ? 1e-11 : 3e-5; }

std::vector<MixedOpCase> shapes() {
  std::vector<MixedOpCase> cases;
  for (const int64_t stride : {1, 2}) {
    for (const MixedOpCase& shape :
         std::vector<MixedOpCase>{{"square", 2, 8, 8, 8, stride},
                                  {"wide_vectors", 3, 16, 6, 10, stride},
                                  {"odd", 3, 5, 7, 13, stride},
                                  {"few_channels", 2, stride, 5, 4, stride},
                                  {"two_pixels", 2, 3, 1, 2, stride},
                                  {"one_image", 1, 24, 9, 11, stride},
                                  {"blocks", 1, 8, 17, 19, stride},
                                  {"many_images", 35, 4, 4, 3, stride},
                                  {"column", 4, 12, 9, 1, stride}}) {
      cases.push_back(shape);
    }
  }
  return cases;
}

TEST(MixedOp, EqualsTheReferenceForwardAndBackwardOnEveryShapeAndType) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const MixedOpCase& shape : shapes()) {
      torch::manual_seed(1);
      SCOPED_TRACE(c10::str(shape.name, " stride ", shape.stride, " ", dtype));
      const Inputs in = random_inputs(shape, each_branch(shape.stride), dtype);
      expect_near(all_results(&mixed_op, in, dtype),
                  all_results(&reference::mixed_op, in, at::kDouble), tolerance(dtype));
    }
  }
}

TEST(MixedOp, EqualsTheReferenceBranchByBranch) {
  for (const int64_t stride : {1, 2}) {
    for (const int64_t branch : darts_branches(stride)) {
      torch::manual_seed(2);
      SCOPED_TRACE(c10::str("branch ", branch, " stride ", stride));
      const Inputs in = random_inputs({"one_branch", 3, 9, 6, 7, stride}, {branch}, at::kDouble);
      expect_near(all_results(&mixed_op, in, at::kDouble),
                  all_results(&reference::mixed_op, in, at::kDouble), tolerance(at::kDouble));
    }
  }
}

TEST(MixedOp, EqualsTheReferenceAtTheSizesOfSearch) {
  for (const MixedOpCase& shape : mixed_op_cases()) {
    if (shape.n > 32) {
      continue;
    }
    torch::manual_seed(3);
    SCOPED_TRACE(shape.name);
    const Inputs in = random_inputs(shape, darts_branches(shape.stride), at::kFloat);
    expect_near(all_results(&mixed_op, in, at::kFloat),
                all_results(&reference::mixed_op, in, at::kDouble), 1e-4);
  }
}

TEST(MixedOp, EqualsTheReferenceInEvaluation) {
  for (const int64_t stride : {1, 2}) {
    torch::manual_seed(4);
    Inputs in = random_inputs({"evaluation", 2, 6, 5, 8, stride}, each_branch(stride), at::kDouble);
    in.options.training = false;
    expect_near(all_results(&mixed_op, in, at::kDouble),
                all_results(&reference::mixed_op, in, at::kDouble), tolerance(at::kDouble));
  }
}

TEST(MixedOp, LeavesRunningStatisticsAloneWhenGivenNone) {
  torch::manual_seed(5);
  Inputs in = random_inputs({"quiet", 2, 6, 5, 8, 1}, darts_branches(1), at::kDouble);
  in.running.clear();
  expect_near(all_results(&mixed_op, in, at::kDouble),
              all_results(&reference::mixed_op, in, at::kDouble), tolerance(at::kDouble));
}

TEST(MixedOp, TakesTheFirstOfEqualMaxima) {
  for (const int64_t stride : {1, 2}) {
    torch::manual_seed(6);
    Inputs in = random_inputs({"ties", 2, 8, 6, 6, stride},
                              {static_cast<int64_t>(MixedBranch::MaxPool3)}, at::kDouble);
    in.x = at::randint(0, 3, in.x.sizes(), at::kDouble);
    expect_near(all_results(&mixed_op, in, at::kDouble),
                all_results(&reference::mixed_op, in, at::kDouble), tolerance(at::kDouble));
  }
}

TEST(MixedOp, ReadsTensorsOfAnyStrides) {
  torch::manual_seed(7);
  const Inputs in = random_inputs({"strided", 2, 6, 5, 8, 1}, darts_branches(1), at::kDouble);
  Inputs strided = in;
  strided.x = at::randn({2, 8, 5, 6}, at::kDouble).transpose(1, 3);
  strided.x.copy_(in.x);
  strided.gradient = in.gradient.select(1, 0).unsqueeze(1).expand_as(in.gradient);
  strided.blend = at::stack({in.blend, in.blend}, 1).select(1, 0);
  for (at::Tensor& weight : strided.weights) {
    weight = weight.transpose(0, 1).contiguous().transpose(0, 1);
  }
  ASSERT_FALSE(strided.x.is_contiguous() ||
               strided.x.is_contiguous(at::MemoryFormat::ChannelsLast));
  expect_near(all_results(&mixed_op, strided, at::kDouble),
              all_results(&reference::mixed_op, strided, at::kDouble), tolerance(at::kDouble));
}

TEST(MixedOp, ReturnsChannelsLast) {
  torch::manual_seed(8);
  const Inputs in = random_inputs({"layout", 2, 6, 5, 8, 1}, darts_branches(1), at::kFloat);
  const at::NoGradGuard no_grad;
  const at::Tensor out = mixed_op(in.x, in.blend, in.weights, in.running, in.options);
  EXPECT_TRUE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(MixedOp, ComputesOnlyTheGradientsAskedFor) {
  torch::manual_seed(9);
  const Inputs in = random_inputs({"some", 3, 6, 5, 8, 2}, darts_branches(2), at::kDouble);
  const Results all = all_results(&mixed_op, in, at::kDouble);
  const at::Tensor x = in.x.clone().requires_grad_();
  const at::Tensor blend = in.blend.clone().requires_grad_();
  const at::Tensor of_blend = torch::autograd::grad(
      {mixed_op(in.x, blend, in.weights, in.running, in.options)}, {blend}, {in.gradient})[0];
  EXPECT_TRUE(at::equal(of_blend, all[2]));
  const auto both = torch::autograd::grad({mixed_op(x, blend, in.weights, in.running, in.options)},
                                          {x, blend}, {in.gradient});
  EXPECT_TRUE(at::equal(both[0], all[1]));
  EXPECT_TRUE(at::equal(both[1], all[2]));
}

TEST(MixedOp, GivesTheSameBitsOnAnyNumberOfThreads) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const MixedOpCase& shape : shapes()) {
      torch::manual_seed(10);
      SCOPED_TRACE(c10::str(shape.name, " stride ", shape.stride, " ", dtype));
      const Inputs in = random_inputs(shape, darts_branches(shape.stride), dtype);
      expect_same_bits_on_any_threads([&] { return all_results(&mixed_op, in, dtype); });
    }
  }
}

/// Independent of autograd: central differences along random directions, in double.
TEST(MixedOp, GradientsAreSlopes) {
  for (const int64_t stride : {1, 2}) {
    torch::manual_seed(11);
    const Inputs in =
        random_inputs({"slopes", 2, 4, 5, 6, stride}, darts_branches(stride), at::kDouble);
    const Results results = all_results(&mixed_op, in, at::kDouble);
    const auto value_at = [&](size_t moved, const at::Tensor& step) {
      std::vector<at::Tensor> given = {in.x, in.blend};
      given.insert(given.end(), in.weights.begin(), in.weights.end());
      given[moved] = given[moved] + step;
      return (mixed_op(given[0], given[1], at::TensorList(given).slice(2), {}, in.options) *
              in.gradient)
          .sum()
          .item<double>();
    };
    for (size_t i = 0; i < in.weights.size() + 2; ++i) {
      const at::Tensor& gradient = results[i + 1];
      const at::Tensor direction = at::randn_like(gradient);
      constexpr double kStep = 1e-6;
      const double slope =
          (value_at(i, direction * kStep) - value_at(i, direction * -kStep)) / (2 * kStep);
      const double expected = (gradient * direction).sum().item<double>();
      EXPECT_NEAR(slope, expected, 1e-5 * (1 + std::abs(expected))) << "input " << i;
    }
  }
}

void expect_ranks_equal_one(const MixedOpCase& shape, std::vector<int64_t> branches, int64_t n,
                            int64_t n_calls) {
  SCOPED_TRACE(c10::str(shape.name, " stride ", shape.stride, " on ", n));
  torch::manual_seed(13);
  const Inputs whole = random_inputs(shape, std::move(branches), at::kDouble);
  expect_near(results_on_ranks(n, whole.running.size(), n_calls,
                               [&](int64_t rank, SumOverRanks& ranks) {
                                 Inputs in = whole;
                                 in.x = share_of(whole.x, rank, n);
                                 in.gradient = share_of(whole.gradient, rank, n);
                                 in.options.ranks = &ranks;
                                 return all_results(&mixed_op, in, at::kDouble);
                               }),
              all_results(&reference::mixed_op, whole, at::kDouble), tolerance(at::kDouble));
}

TEST(MixedOp, OnSeveralRanksIsThatOfTheWholeBatchByOneSumAStage) {
  const auto dilated = static_cast<int64_t>(MixedBranch::DilConv3);
  for (const int64_t n : {2, 3}) {
    for (const int64_t stride : {1, 2}) {
      expect_ranks_equal_one({"all", 6, 5, 7, 8, stride}, each_branch(stride), n, 4);
      expect_ranks_equal_one({"one_level", 6, 4, 5, 6, stride}, {dilated}, n, 2);
    }
    expect_ranks_equal_one({"one_value_each", n, 3, 1, 1, 1}, {dilated}, n, 2);
  }
}

TEST(MixedOp, AsksRanksForNothingInEvaluationNorWhereOnlyTheBlendIsLearnt) {
  torch::manual_seed(14);
  Inputs in = random_inputs({"quiet", 2, 4, 5, 6, 1}, darts_branches(1), at::kDouble);
  Meeting meeting(1);
  RankThread rank(meeting, 0);
  in.options.ranks = &rank;
  const at::Tensor blend = in.blend.clone().requires_grad_();
  torch::autograd::grad({mixed_op(in.x, blend, in.weights, in.running, in.options)}, {blend},
                        {in.gradient});
  EXPECT_EQ(rank.n_calls(), 2) << "both forward";
  in.options.training = false;
  all_results(&mixed_op, in, at::kDouble);
  EXPECT_EQ(rank.n_calls(), 2);
}

TEST(MixedOp, RefusesASecondDerivative) {
  torch::manual_seed(12);
  const Inputs in = random_inputs({"twice", 2, 4, 5, 6, 1}, darts_branches(1), at::kDouble);
  const at::Tensor x = in.x.clone().requires_grad_();
  const at::Tensor out = mixed_op(x, in.blend, in.weights, in.running, in.options);
  EXPECT_THROW(torch::autograd::grad({out.sum()}, {x}, {}, true, true), c10::Error);
}

TEST(MixedOp, RefusesWhatDoesNotFit) {
  const Inputs in = random_inputs({"wrong", 2, 4, 5, 6, 1}, darts_branches(1), at::kFloat);
  const auto run = [&](const Inputs& given) {
    mixed_op(given.x, given.blend, given.weights, given.running, given.options);
  };
  const auto refuses = [&](const std::function<void(Inputs&)>& spoil) {
    Inputs given = in;
    spoil(given);
    EXPECT_THROW(run(given), c10::Error);
  };
  EXPECT_NO_THROW(run(in));
  refuses([](Inputs& given) { given.x = given.x[0]; });
  refuses([](Inputs& given) { given.x = given.x.slice(0, 0, 0); });
  refuses([](Inputs& given) { given.x = given.x.to(at::kHalf); });
  refuses([](Inputs& given) { given.x = given.x.slice(1, 0, 3); });
  refuses([](Inputs& given) { given.blend = given.blend.slice(0, 1); });
  refuses([](Inputs& given) { given.blend = given.blend.to(at::kDouble); });
  refuses([](Inputs& given) { given.weights.pop_back(); });
  refuses([](Inputs& given) { given.weights.push_back(given.weights[0]); });
  refuses([](Inputs& given) { std::swap(given.weights[0], given.weights[1]); });
  refuses([](Inputs& given) { given.running.pop_back(); });
  refuses([](Inputs& given) { given.options.branches[0] = 99; });
  refuses([](Inputs& given) { given.options.stride = 3; });
  refuses([](Inputs& given) { given.options.stride = 2; });
  refuses([](Inputs& given) { given.x = given.x.slice(0, 0, 1).slice(2, 0, 1).slice(3, 0, 1); });
  refuses([](Inputs& given) {
    given.running.clear();
    given.options.training = false;
  });
}

}  // namespace
}  // namespace retia::kernels
