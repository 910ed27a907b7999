#include <ATen/Dispatch.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "retia/engine/base/device.h"
#include "retia/kernels/mixed_op/mixed_op_cases.h"
#include "retia/kernels/mixed_op/mixed_op_passes_backward.h"
#include "retia/kernels/mixed_op/mixed_op_passes_forward.h"
#include "retia/kernels/running_statistics_passes.h"
#include "retia/tests/kernels/on_host.h"
#include "retia/tests/kernels/on_ranks.h"
#include "retia/tests/kernels/results.h"

namespace retia::kernels {
namespace {

/// In the dtype of x; all else in float32 if that is half.
MixedOpInputs in_dtype(MixedOpInputs in, at::ScalarType dtype, at::Device device = at::kCPU) {
  const at::ScalarType wide = at::promote_types(dtype, at::kFloat);
  in.x = in.x.to(device, dtype).contiguous(at::MemoryFormat::ChannelsLast);
  in.gradient = in.gradient.to(device, dtype).contiguous(at::MemoryFormat::ChannelsLast);
  in.blend = in.blend.to(device, wide);
  for (auto* list : {&in.weights, &in.running}) {
    for (at::Tensor& tensor : *list) {
      tensor = tensor.to(device, wide, /*non_blocking=*/false, /*copy=*/true);
    }
  }
  return in;
}

/// Result, gradients of x, blend and weights, running statistics after it.
template <class Runner>
Results by_passes(const MixedOpInputs& given, MixedOpNeeds needs = {}) {
  const MixedOpInputs in = in_dtype(given, given.x.scalar_type());
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, in.x.scalar_type(), "mixed_op", [&] {
        const auto [out, kept, norm, batch] =
            MixedOpForwardPasses<Runner, scalar_t>(in.x, in.blend, in.weights, in.options)
                .run(in.running);
        if (in.options.training && !in.running.empty()) {
          move_running_by_passes<Runner, cuda::Sum<scalar_t>>(in.running, batch,
                                                              in.options.momentum);
        }
        const auto [to_x, to_blend, to_weights] =
            MixedOpBackwardPasses<Runner, scalar_t>(in.x, in.blend, in.weights, in.options)
                .run(in.gradient, kept, norm, needs);
        Results results = {out.front(), to_x, to_blend};
        results.insert(results.end(), to_weights.begin(), to_weights.end());
        results.insert(results.end(), in.running.begin(), in.running.end());
        return results;
      });
}

/// The same of a function, by autograd.
template <class Function>
Results by_autograd(Function function, const MixedOpInputs& in) {
  std::vector<at::Tensor> leaves = {in.x, in.blend};
  leaves.insert(leaves.end(), in.weights.begin(), in.weights.end());
  for (at::Tensor& leaf : leaves) {
    leaf = leaf.detach().requires_grad_();
  }
  const at::Tensor out =
      function(leaves[0], leaves[1], at::TensorList(leaves).slice(2), in.running, in.options);
  return results_of(out, leaves, in.gradient, in.running);
}

Results expected(const MixedOpInputs& in) {
  return by_autograd(&reference::mixed_op, in_dtype(in, at::kDouble));
}

double tolerance(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return 1e-11;
    case at::kFloat:
      return 3e-5;
    case at::kHalf:
      return 2e-2;
    default:
      return 1e-1;
  }
}

std::vector<MixedOpCase> cases() {
  std::vector<MixedOpCase> all;
  for (const int64_t stride : {1, 2}) {
    for (const MixedOpCase& of : std::vector<MixedOpCase>{{"square", 2, 8, 8, 8, stride},
                                                          {"odd", 3, 5, 7, 13, stride},
                                                          {"few_channels", 2, stride, 5, 4, stride},
                                                          {"two_pixels", 2, 3, 1, 2, stride},
                                                          {"column", 4, 12, 9, 1, stride},
                                                          {"many_images", 35, 4, 4, 3, stride}}) {
      all.push_back(of);
    }
  }
  return all;
}

MixedOpInputs inputs_of(const MixedOpCase& of, at::ScalarType dtype) {
  torch::manual_seed(1);
  MixedOpInputs in = random_inputs(of, each_branch(of.stride), at::kDouble);
  // What the dtype can hold, so that only what is computed is rounded.
  in.x = in.x.to(dtype);
  in.gradient = in.gradient.to(dtype);
  return in;
}

TEST(MixedOpPasses, EqualTheReferenceForwardAndBackwardOnEveryShape) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const MixedOpCase& of : cases()) {
      SCOPED_TRACE(c10::str(of.name, " stride ", of.stride, " ", dtype));
      const MixedOpInputs in = inputs_of(of, dtype);
      expect_near(by_passes<InOrder>(in), expected(in), tolerance(dtype));
    }
  }
}

TEST(MixedOpPasses, EqualTheReferenceBranchByBranch) {
  for (const int64_t stride : {1, 2}) {
    for (const int64_t branch : darts_branches(stride)) {
      SCOPED_TRACE(c10::str("branch ", branch, " stride ", stride));
      torch::manual_seed(2);
      const MixedOpInputs in =
          random_inputs({"one_branch", 3, 9, 6, 7, stride}, {branch}, at::kDouble);
      expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
    }
  }
}

TEST(MixedOpPasses, EqualTheReferenceWhereTheyStoreHalves) {
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    for (const int64_t stride : {1, 2}) {
      SCOPED_TRACE(c10::str("stride ", stride, " ", dtype));
      MixedOpInputs in = inputs_of({"half", 4, 8, 8, 8, stride}, dtype);
      const Results got = by_passes<InOrder>(in), wanted = expected(in);
      // On which side of 0 a number falls inside is rounding's to say, so that gradients differ
      // where one falls on the other: what counts is how far they are on the whole.
      for (size_t i = 0; i < got.size(); ++i) {
        const at::Tensor wide = wanted[i].to(at::kDouble);
        const double far = (got[i].to(at::kDouble) - wide).norm().item<double>();
        EXPECT_LE(far, tolerance(dtype) * std::max(1.0, wide.norm().item<double>()))
            << "result " << i;
      }
    }
  }
}

TEST(MixedOpPasses, EqualTheReferenceInEvaluationAndWithoutStatistics) {
  for (const MixedOpCase& of : cases()) {
    SCOPED_TRACE(c10::str(of.name, " stride ", of.stride));
    MixedOpInputs in = inputs_of(of, at::kDouble);
    in.options.training = false;
    expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
    in.options.training = true;
    in.running.clear();
    expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
  }
}

TEST(MixedOpPasses, JoinSlicesOfSlicesWhereAnEdgeIsLarge) {
  const MixedOpInputs in = inputs_of({"large", 4, 3, 66, 64, 1}, at::kDouble);
  expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
}

TEST(MixedOpPasses, TakeMoreBranchesThanOnePass) {
  torch::manual_seed(3);
  std::vector<int64_t> branches;
  for (int i = 0; i < 4; ++i) {
    for (const int64_t branch : darts_branches(1)) {
      branches.push_back(branch);
    }
  }
  const MixedOpInputs in = random_inputs({"many", 2, 4, 5, 6, 1}, branches, at::kDouble);
  expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
}

TEST(MixedOpPasses, RunAllEdgesThatLeaveANode) {
  for (const int64_t stride : {1, 2}) {
    torch::manual_seed(4);
    SCOPED_TRACE(c10::str("stride ", stride));
    std::vector<int64_t> branches = each_branch(stride);
    for (const int64_t branch : darts_branches(stride)) {
      branches.push_back(branch);
    }
    MixedOpInputs in = random_inputs({"node", 3, 5, 7, 6, stride}, branches, at::kDouble);
    in.options.edges = {8, 7};
    in.options.summed = {1};
    in = in_dtype(in, at::kDouble);
    const at::Tensor sum = at::randn_like(in.gradient);
    const std::vector<at::Tensor> gradients = {in.gradient, at::randn_like(in.gradient)};
    using Forward = MixedOpForwardPasses<InOrder, double>;
    using Backward = MixedOpBackwardPasses<InOrder, double>;
    const auto [out, kept, norm, batch] =
        Forward(in.x, in.blend, in.weights, in.options).run(in.running, {sum});
    const auto [to_x, to_blend, to_weights] =
        Backward(in.x, in.blend, in.weights, in.options).run(gradients, kept, norm, {});
    Results got = {at::stack(out), to_x, to_blend};
    got.insert(got.end(), to_weights.begin(), to_weights.end());
    const Results wanted = by_autograd(
        [&](const auto& x, const auto& blend, at::TensorList weights, at::TensorList, const auto&) {
          return at::stack(reference::mixed_ops(x, blend, weights, {}, {sum}, in.options));
        },
        [&] {
          MixedOpInputs alike = in;
          alike.gradient = at::stack(gradients);
          alike.running.clear();
          return alike;
        }());
    expect_near(got, wanted, tolerance(at::kDouble));
  }
}

TEST(MixedOpPasses, GiveTheSameBitsInAnyOrderOfThreads) {
  for (const MixedOpCase& of : cases()) {
    SCOPED_TRACE(c10::str(of.name, " stride ", of.stride));
    const MixedOpInputs in = inputs_of(of, at::kFloat);
    const Results one = by_passes<InOrder>(in), other = by_passes<InReverse>(in);
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(at::equal(one[i], other[i])) << "result " << i;
    }
  }
}

TEST(MixedOpPasses, ComputeOnlyTheGradientsAskedFor) {
  for (const MixedOpCase& of : cases()) {
    SCOPED_TRACE(c10::str(of.name, " stride ", of.stride));
    const MixedOpInputs in = inputs_of(of, at::kDouble);
    const Results all = by_passes<InOrder>(in);
    const Results of_x = by_passes<InOrder>(in, {true, false});
    const Results of_weights = by_passes<InOrder>(in, {false, true});
    const Results of_blend = by_passes<InOrder>(in, {false, false});
    EXPECT_TRUE(at::equal(of_x[1], all[1]));
    EXPECT_FALSE(of_weights[1].defined());
    EXPECT_TRUE(at::equal(of_blend[2], all[2]));
    for (size_t i = 3; i < 3 + in.weights.size(); ++i) {
      EXPECT_FALSE(of_x[i].defined());
      EXPECT_FALSE(of_blend[i].defined());
      EXPECT_TRUE(at::equal(of_weights[i], all[i])) << "result " << i;
    }
  }
}

TEST(MixedOpPasses, OnSeveralRanksAreThoseOfTheWholeBatch) {
  for (const int64_t stride : {1, 2}) {
    SCOPED_TRACE(stride);
    const MixedOpInputs whole = inputs_of({"ranks", 6, 5, 7, 8, stride}, at::kDouble);
    expect_near(results_on_ranks(3, whole.running.size(), 4,
                                 [&](int64_t rank, SumOverRanks& ranks) {
                                   MixedOpInputs in = whole;
                                   in.x = share_of(whole.x, rank, 3);
                                   in.gradient = share_of(whole.gradient, rank, 3);
                                   in.options.ranks = &ranks;
                                   return by_passes<InOrder>(in);
                                 }),
                expected(whole), tolerance(at::kDouble));
  }
}

TEST(MixedOpPasses, RunOnAGpu) {
  if (available_devices().size() == 1) {
    GTEST_SKIP() << "no GPU here";
  }
  std::vector<MixedOpCase> all = cases();
  const std::vector<MixedOpCase> usual = mixed_op_cases();
  all.insert(all.end(), usual.begin(), usual.end());
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const MixedOpCase& of : all) {
      SCOPED_TRACE(c10::str(of.name, " stride ", of.stride, " ", dtype));
      const MixedOpInputs in = inputs_of(of, dtype);
      const double bound = dtype == at::kDouble ? 1e-10 : 1e-4;
      const MixedOpInputs there = in_dtype(in, dtype, at::kCUDA);
      expect_near(by_autograd(&mixed_op, there), expected(in), bound);
      MixedOpInputs node = in_dtype(in, dtype, at::kCUDA);
      node.options.edges = {1, static_cast<int64_t>(in.options.branches.size()) - 1};
      node.options.summed = {1, 0};
      const auto of_edges = [&](decltype(&mixed_ops) function) {
        const auto added = [&](const auto& x, const auto& blend, at::TensorList weights,
                               at::TensorList running, const MixedOpOptions& options) {
          const auto made =
              function(x, blend, weights, running, {there.gradient, there.gradient}, options);
          return made[0] + made[1].sin();
        };
        return by_autograd(added, in_dtype(node, dtype, at::kCUDA));
      };
      expect_near(of_edges(&mixed_ops), of_edges(&reference::mixed_ops), bound);
    }
  }
}

}  // namespace
}  // namespace retia::kernels
