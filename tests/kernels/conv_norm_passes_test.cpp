#include "retia/kernels/conv_norm/conv_norm_passes.h"

#include <ATen/Dispatch.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "retia/engine/base/device.h"
#include "retia/kernels/conv_norm/conv_norm_cases.h"
#include "retia/kernels/running_statistics_passes.h"
#include "retia/tests/kernels/on_host.h"
#include "retia/tests/kernels/on_ranks.h"
#include "retia/tests/kernels/results.h"

namespace retia::kernels {
namespace {

/// In the dtype of x; all else in float32 if that is half.
ConvNormInputs in_dtype(ConvNormInputs in, at::ScalarType dtype, at::Device device = at::kCPU) {
  const at::ScalarType wide = at::promote_types(dtype, at::kFloat);
  in.x = in.x.to(device, dtype).contiguous(at::MemoryFormat::ChannelsLast);
  in.gradient = in.gradient.to(device, dtype).contiguous(at::MemoryFormat::ChannelsLast);
  for (auto* list : {&in.weights, &in.affine, &in.running}) {
    for (at::Tensor& tensor : *list) {
      tensor = tensor.to(device, wide, /*non_blocking=*/false, /*copy=*/true);
    }
  }
  return in;
}

/// Result, gradients of x, weights and affine, running statistics after it.
template <class Runner>
Results by_passes(const ConvNormInputs& given, ConvNormNeeds needs = {}) {
  const ConvNormInputs in = in_dtype(given, given.x.scalar_type());
  return AT_DISPATCH_FLOATING_TYPES_AND2(
      at::kHalf, at::kBFloat16, in.x.scalar_type(), "conv_norm", [&] {
        ConvNormPasses<Runner, scalar_t> passes(in.x, in.weights, in.affine, in.options);
        const auto [out, kept, norm, batch] = passes.forward(in.running);
        if (in.options.training && !in.running.empty()) {
          move_running_by_passes<Runner, cuda::Sum<scalar_t>>(in.running, batch,
                                                              in.options.momentum);
        }
        Results results = {out};
        const Results gradients = listed(passes.backward(in.gradient, kept, norm, needs));
        results.insert(results.end(), gradients.begin(), gradients.end());
        results.insert(results.end(), in.running.begin(), in.running.end());
        return results;
      });
}

/// The same of a function, by autograd.
template <class Function>
Results by_autograd(Function function, ConvNormInputs in) {
  std::vector<at::Tensor> leaves = {in.x};
  leaves.insert(leaves.end(), in.weights.begin(), in.weights.end());
  leaves.insert(leaves.end(), in.affine.begin(), in.affine.end());
  for (at::Tensor& leaf : leaves) {
    leaf = leaf.detach().requires_grad_();
  }
  const at::TensorList all(leaves);
  const at::Tensor out = function(leaves[0], all.slice(1, in.weights.size()),
                                  all.slice(1 + in.weights.size()), in.running, in.options);
  return results_of(out, leaves, in.gradient, in.running);
}

Results expected(const ConvNormInputs& in) {
  return by_autograd(&reference::conv_norm, in_dtype(in, at::kDouble));
}

double tolerance(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return 1e-11;
    case at::kFloat:
      return 3e-5;
    case at::kHalf:
      return 1e-2;
    default:
      return 6e-2;
  }
}

/// Each kind with each kernel, stride and dilation that it has, odd sizes and one of a row.
std::vector<ConvNormCase> cases() {
  std::vector<ConvNormCase> all;
  const auto add = [&](ConvKind kind, int64_t kernel, int64_t stride, int64_t dilation) {
    const auto at = [&](int64_t n, int64_t c, int64_t out, int64_t h, int64_t w) {
      all.push_back({c10::str("kind ", static_cast<int64_t>(kind), " kernel ", kernel, " stride ",
                              stride, " dilation ", dilation, " size ", h, "x", w),
                     kind, n, c, out, h, w, kernel, stride, dilation});
    };
    at(3, 5, 7, 7, 9);
    at(2, 16, 24, 8, 8);
    at(1, 3, 2, 1, 4);
  };
  for (const int64_t stride : {1, 2}) {
    for (const int64_t dilation : {1, 2}) {
      for (const int64_t kernel : {3, 5, 7}) {
        add(ConvKind::Depthwise, kernel, stride, dilation);
        add(ConvKind::Separable, kernel, stride, dilation);
      }
      add(ConvKind::Dense, 3, stride, dilation);
    }
    add(ConvKind::Dense, 1, stride, 1);
    add(ConvKind::MaxPool3, 3, stride, 1);
    add(ConvKind::AveragePool3, 3, stride, 1);
  }
  add(ConvKind::Halving, 1, 2, 1);
  add(ConvKind::None, 1, 1, 1);
  return all;
}

ConvNormInputs inputs_of(const ConvNormCase& of, at::ScalarType dtype) {
  torch::manual_seed(1);
  ConvNormInputs in = random_inputs(of, at::kDouble);
  in.options.relu_before = of.kind != ConvKind::None && of.channels != 5;
  in.options.relu_after = of.channels != 16;
  // What the dtype can hold, so that only what is computed is rounded.
  in.x = in.x.to(dtype);
  in.gradient = in.gradient.to(dtype);
  return in;
}

TEST(ConvNormPasses, EqualTheReferenceForwardAndBackwardForEveryKind) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const ConvNormCase& of : cases()) {
      SCOPED_TRACE(c10::str(of.name, " ", dtype));
      const ConvNormInputs in = inputs_of(of, dtype);
      expect_near(by_passes<InOrder>(in), expected(in), tolerance(dtype));
    }
  }
}

TEST(ConvNormPasses, EqualTheReferenceWhereTheyStoreHalves) {
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16}) {
    for (const ConvNormCase& of : cases()) {
      SCOPED_TRACE(c10::str(of.name, " ", dtype));
      ConvNormInputs in = inputs_of(of, dtype);
      // On which side of 0 a number falls is rounding's to say.
      in.options.relu_after = false;
      if (of.height > 1) {
        expect_near(by_passes<InOrder>(in), expected(in), tolerance(dtype));
      }
    }
  }
}

TEST(ConvNormPasses, EqualTheReferenceInEvaluationAndWithoutScales) {
  for (const ConvNormCase& of : cases()) {
    SCOPED_TRACE(of.name);
    ConvNormInputs in = inputs_of(of, at::kDouble);
    in.options.training = false;
    expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
    in.options.training = true;
    in.affine.clear();
    in.running.clear();
    expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
  }
}

TEST(ConvNormPasses, JoinMoreSlicesThanOnePassTakes) {
  const ConvNormInputs in =
      inputs_of({"large", ConvKind::Depthwise, 9, 3, 3, 40, 41, 3, 1, 1}, at::kDouble);
  expect_near(by_passes<InOrder>(in), expected(in), tolerance(at::kDouble));
}

TEST(ConvNormPasses, KeepTheDigitsOfALargeMean) {
  ConvNormInputs in =
      inputs_of({"large mean", ConvKind::None, 8, 4, 4, 16, 16, 1, 1, 1}, at::kFloat);
  in.x = (in.x + 1000).contiguous();
  expect_near(by_passes<InOrder>(in), expected(in), 2e-3);
}

TEST(ConvNormPasses, GiveTheSameBitsInAnyOrderOfThreads) {
  for (const ConvNormCase& of : cases()) {
    SCOPED_TRACE(of.name);
    const ConvNormInputs in = inputs_of(of, at::kFloat);
    const Results one = by_passes<InOrder>(in), other = by_passes<InReverse>(in);
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(at::equal(one[i], other[i])) << "result " << i;
    }
  }
}

TEST(ConvNormPasses, ComputeOnlyTheGradientsAskedFor) {
  for (const ConvNormCase& of : cases()) {
    SCOPED_TRACE(of.name);
    const ConvNormInputs in = inputs_of(of, at::kDouble);
    const Results all = by_passes<InOrder>(in);
    const Results of_x = by_passes<InOrder>(in, {true, false});
    const Results of_weights = by_passes<InOrder>(in, {false, true});
    EXPECT_TRUE(at::equal(of_x[1], all[1]));
    EXPECT_FALSE(of_weights[1].defined());
    for (size_t i = 0; i < in.weights.size(); ++i) {
      EXPECT_FALSE(of_x[2 + i].defined());
      EXPECT_TRUE(at::equal(of_weights[2 + i], all[2 + i])) << "weight " << i;
    }
  }
}

TEST(ConvNormPasses, OnSeveralRanksAreThoseOfTheWholeBatch) {
  for (const ConvKind kind : {ConvKind::Separable, ConvKind::None}) {
    const ConvNormInputs whole = inputs_of({"ranks", kind, 6, 4, 4, 7, 8, 3, 1, 1}, at::kDouble);
    expect_near(results_on_ranks(3, whole.running.size(), 2,
                                 [&](int64_t rank, SumOverRanks& ranks) {
                                   ConvNormInputs in = whole;
                                   in.x = share_of(whole.x, rank, 3);
                                   in.gradient = share_of(whole.gradient, rank, 3);
                                   in.options.ranks = &ranks;
                                   return by_passes<InOrder>(in);
                                 }),
                expected(whole), tolerance(at::kDouble));
  }
}

TEST(ConvNormPasses, RunOnAGpu) {
  if (available_devices().size() == 1) {
    GTEST_SKIP() << "no GPU here";
  }
  std::vector<ConvNormCase> all = cases();
  const std::vector<ConvNormCase> usual = conv_norm_cases();
  all.insert(all.end(), usual.begin(), usual.end());
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    for (const ConvNormCase& of : all) {
      SCOPED_TRACE(c10::str(of.name, " ", dtype));
      ConvNormInputs in = inputs_of(of, dtype);
      in.options.relu_after = in.options.relu_after && dtype == at::kDouble;
      const Results got = by_autograd(&conv_norm, in_dtype(in, dtype, at::kCUDA));
      if (of.height > 1 || dtype == at::kDouble) {
        expect_near(got, expected(in), std::max(tolerance(dtype), 1e-10));
      }
    }
  }
}

}  // namespace
}  // namespace retia::kernels
