#include "retia/kernels/conv_norm/conv_norm.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <vector>

#include "retia/kernels/conv_norm/conv_norm_cases.h"
#include "retia/tests/kernels/on_ranks.h"
#include "retia/tests/kernels/on_threads.h"
#include "retia/tests/kernels/results.h"

namespace retia::kernels {
namespace {

using ConvNormFunction = at::Tensor (*)(const at::Tensor&, at::TensorList, at::TensorList,
                                        at::TensorList, const ConvNormOptions&);

/// Result, gradients of x, weights and affine, running statistics after it.
Results all_results(ConvNormFunction function, const ConvNormInputs& in, at::ScalarType dtype) {
  std::vector<at::Tensor> leaves;
  const auto add_leaf = [&](const at::Tensor& t) {
    leaves.push_back(t.detach().to(dtype).clone().requires_grad_());
  };
  add_leaf(in.x);
  for (const auto* list : {&in.weights, &in.affine}) {
    for (const at::Tensor& tensor : *list) {
      add_leaf(tensor);
    }
  }
  std::vector<at::Tensor> running;
  for (const at::Tensor& statistic : in.running) {
    running.push_back(statistic.to(dtype).clone());
  }
  const at::TensorList all(leaves);
  const at::Tensor out = function(leaves[0], all.slice(1, in.weights.size()),
                                  all.slice(1 + in.weights.size()), running, in.options);
  return results_of(out, leaves, in.gradient.to(dtype), running);
}

double tolerance(at::ScalarType dtype) { return dtype == at::kDouble ? 1e-11 : 3e-5; }

/// Each kind with each kernel, stride and dilation that it has, at sizes that fit no vector; the last
/// sizes are of few images, which are divided among threads.
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
    at(19, 8, 40, 2, 3);
    at(1, 5, 7, 21, 19);
    at(2, 16, 8, 25, 11);
  };
  for (const int64_t stride : {1, 2}) {
    for (const int64_t dilation : {1, 2}) {
      for (const int64_t kernel : {1, 3, 5, 7}) {
        add(ConvKind::Dense, kernel, stride, dilation);
        if (kernel > 1) {
          add(ConvKind::Depthwise, kernel, stride, dilation);
          add(ConvKind::Separable, kernel, stride, dilation);
        }
      }
    }
    add(ConvKind::MaxPool3, 3, stride, 1);
    add(ConvKind::AveragePool3, 3, stride, 1);
  }
  add(ConvKind::Halving, 1, 2, 1);
  add(ConvKind::None, 1, 1, 1);
  return all;
}

TEST(ConvNorm, EqualsTheReferenceForwardAndBackwardForEveryKindAndType) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const ConvNormCase& of : cases()) {
      torch::manual_seed(1);
      SCOPED_TRACE(c10::str(of.name, " ", dtype));
      ConvNormInputs in = random_inputs(of, dtype);
      in.options.relu_before = of.kind != ConvKind::None && of.channels != 5;
      in.options.relu_after = of.channels != 16;
      expect_near(all_results(&conv_norm, in, dtype),
                  all_results(&reference::conv_norm, in, at::kDouble), tolerance(dtype));
    }
  }
}

TEST(ConvNorm, EqualsTheReferenceWithoutScalesAndStatistics) {
  for (const ConvNormCase& of : cases()) {
    torch::manual_seed(2);
    SCOPED_TRACE(of.name);
    ConvNormInputs in = random_inputs(of, at::kDouble);
    in.affine.clear();
    in.running.clear();
    expect_near(all_results(&conv_norm, in, at::kDouble),
                all_results(&reference::conv_norm, in, at::kDouble), tolerance(at::kDouble));
  }
}

TEST(ConvNorm, EqualsTheReferenceInEvaluation) {
  for (const ConvNormCase& of : cases()) {
    torch::manual_seed(3);
    SCOPED_TRACE(of.name);
    ConvNormInputs in = random_inputs(of, at::kDouble);
    in.options.training = false;
    in.options.relu_after = true;
    expect_near(all_results(&conv_norm, in, at::kDouble),
                all_results(&reference::conv_norm, in, at::kDouble), tolerance(at::kDouble));
  }
}

TEST(ConvNorm, EqualsTheReferenceAtTheSizesOfSearch) {
  for (const ConvNormCase& of : conv_norm_cases()) {
    torch::manual_seed(4);
    SCOPED_TRACE(of.name);
    ConvNormInputs in = random_inputs(of, at::kFloat);
    // Rounding may decide on which side of 0 a number falls, so relu would show as a difference.
    expect_near(all_results(&conv_norm, in, at::kFloat),
                all_results(&reference::conv_norm, in, at::kDouble), 1e-4);
  }
}

TEST(ConvNorm, ReadsTensorsOfAnyStrides) {
  torch::manual_seed(5);
  const ConvNormInputs in =
      random_inputs({"strided", ConvKind::Separable, 2, 6, 10, 5, 8, 3, 1, 1}, at::kDouble);
  ConvNormInputs strided = in;
  strided.x = at::randn({2, 8, 5, 12}, at::kDouble).transpose(1, 3).slice(1, 3, 9);
  strided.x.copy_(in.x);
  strided.gradient = in.gradient.select(1, 0).unsqueeze(1).expand_as(in.gradient);
  for (at::Tensor& weight : strided.weights) {
    weight = weight.transpose(0, 1).contiguous().transpose(0, 1);
  }
  expect_near(all_results(&conv_norm, strided, at::kDouble),
              all_results(&reference::conv_norm, strided, at::kDouble), tolerance(at::kDouble));
}

TEST(ConvNorm, ComputesOnlyTheGradientsAskedFor) {
  for (const ConvNormCase& of : cases()) {
    torch::manual_seed(6);
    SCOPED_TRACE(of.name);
    const ConvNormInputs in = random_inputs(of, at::kDouble);
    const Results all = all_results(&conv_norm, in, at::kDouble);
    const auto gradient_of = [&](const at::Tensor& input, const at::Tensor& x,
                                 at::TensorList weights) {
      const at::Tensor out = conv_norm(x, weights, in.affine, {}, in.options);
      return torch::autograd::grad({out}, {input}, {in.gradient})[0];
    };
    const at::Tensor x = in.x.clone().requires_grad_();
    EXPECT_TRUE(at::equal(gradient_of(x, x, in.weights), all[1]));
    if (!in.weights.empty()) {
      std::vector<at::Tensor> weights = in.weights;
      weights[0] = weights[0].clone().requires_grad_();
      EXPECT_TRUE(at::equal(gradient_of(weights[0], in.x, weights), all[2]));
    }
  }
}

TEST(ConvNorm, GivesTheSameBitsOnAnyNumberOfThreads) {
  for (const ConvNormCase& of : cases()) {
    torch::manual_seed(7);
    SCOPED_TRACE(of.name);
    const ConvNormInputs in = random_inputs(of, at::kFloat);
    expect_same_bits_on_any_threads([&] { return all_results(&conv_norm, in, at::kFloat); });
  }
}

/// Independent of autograd: central differences along random directions, in double.
TEST(ConvNorm, GradientsAreSlopes) {
  for (const ConvNormCase& of : cases()) {
    torch::manual_seed(8);
    SCOPED_TRACE(of.name);
    ConvNormInputs in = random_inputs(of, at::kDouble);
    in.options.relu_before = of.kind != ConvKind::None;
    in.options.relu_after = true;
    const Results results = all_results(&conv_norm, in, at::kDouble);
    const auto value_at = [&](size_t moved, const at::Tensor& step) {
      std::vector<at::Tensor> given = {in.x};
      given.insert(given.end(), in.weights.begin(), in.weights.end());
      given.insert(given.end(), in.affine.begin(), in.affine.end());
      given[moved] = given[moved] + step;
      const at::TensorList all(given);
      const at::Tensor out = conv_norm(given[0], all.slice(1, in.weights.size()),
                                       all.slice(1 + in.weights.size()), {}, in.options);
      return (out * in.gradient).sum().item<double>();
    };
    for (size_t i = 0; i < in.weights.size() + 3; ++i) {
      const at::Tensor& gradient = results[i + 1];
      const at::Tensor direction = at::randn_like(gradient);
      constexpr double kStep = 1e-7;
      const double slope =
          (value_at(i, direction * kStep) - value_at(i, direction * -kStep)) / (2 * kStep);
      const double expected = (gradient * direction).sum().item<double>();
      EXPECT_NEAR(slope, expected, 1e-4 * (1 + std::abs(expected))) << "input " << i;
    }
  }
}

TEST(ConvNorm, OnSeveralRanksIsThatOfTheWholeBatchByOneSumForwardAndOneBack) {
  for (ConvNormCase layer : conv_norm_cases()) {
    SCOPED_TRACE(layer.name);
    torch::manual_seed(13);
    layer.n = 6;
    layer.height = layer.width = 7;
    ConvNormInputs whole = random_inputs(layer, at::kDouble);
    whole.options.relu_after = true;
    for (const int64_t n : {2, 3}) {
      expect_near(results_on_ranks(n, whole.running.size(), 2,
                                   [&](int64_t rank, SumOverRanks& ranks) {
                                     ConvNormInputs in = whole;
                                     in.x = share_of(whole.x, rank, n);
                                     in.gradient = share_of(whole.gradient, rank, n);
                                     in.options.ranks = &ranks;
                                     return all_results(&conv_norm, in, at::kDouble);
                                   }),
                  all_results(&reference::conv_norm, whole, at::kDouble), tolerance(at::kDouble));
    }
  }
}

TEST(ConvNorm, RefusesASecondDerivative) {
  torch::manual_seed(9);
  const ConvNormInputs in =
      random_inputs({"twice", ConvKind::Dense, 2, 4, 4, 5, 6, 1, 1, 1}, at::kDouble);
  const at::Tensor x = in.x.clone().requires_grad_();
  const at::Tensor out = conv_norm(x, in.weights, in.affine, in.running, in.options);
  EXPECT_THROW(torch::autograd::grad({out.sum()}, {x}, {}, true, true), c10::Error);
}

TEST(ConvNorm, RefusesWhatDoesNotFit) {
  const ConvNormInputs in =
      random_inputs({"wrong", ConvKind::Separable, 2, 4, 6, 5, 6, 3, 1, 1}, at::kFloat);
  const auto run = [](const ConvNormInputs& given) {
    conv_norm(given.x, given.weights, given.affine, given.running, given.options);
  };
  const auto refuses = [&](const std::function<void(ConvNormInputs&)>& spoil) {
    ConvNormInputs given = in;
    spoil(given);
    EXPECT_THROW(run(given), c10::Error);
  };
  EXPECT_NO_THROW(run(in));
  refuses([](ConvNormInputs& given) { given.x = given.x[0]; });
  refuses([](ConvNormInputs& given) { given.x = given.x.slice(0, 0, 0); });
  refuses([](ConvNormInputs& given) { given.x = given.x.to(at::kHalf); });
  refuses([](ConvNormInputs& given) { given.x = given.x.slice(1, 0, 3); });
  refuses([](ConvNormInputs& given) { given.weights.pop_back(); });
  refuses([](ConvNormInputs& given) { std::swap(given.weights[0], given.weights[1]); });
  refuses([](ConvNormInputs& given) { given.weights[0] = given.weights[0].to(at::kDouble); });
  refuses([](ConvNormInputs& given) { given.weights[0] = at::randn({4, 1, 4, 4}); });
  refuses([](ConvNormInputs& given) { given.weights[0] = at::randn({4, 1, 9, 9}); });
  refuses([](ConvNormInputs& given) { given.affine.pop_back(); });
  refuses([](ConvNormInputs& given) { given.running[0] = given.running[0].slice(0, 1); });
  refuses([](ConvNormInputs& given) { given.options.kind = 99; });
  refuses([](ConvNormInputs& given) { given.options.stride = 0; });
  refuses(
      [](ConvNormInputs& given) { given.options.kind = static_cast<int64_t>(ConvKind::Halving); });
  refuses([](ConvNormInputs& given) {
    given.options.kind = static_cast<int64_t>(ConvKind::None);
    given.options.relu_before = true;
    given.weights.clear();
    given.affine.clear();
    given.running.clear();
  });
  refuses([](ConvNormInputs& given) {
    given.running.clear();
    given.options.training = false;
  });
  refuses([](ConvNormInputs& given) {
    given.x = given.x.slice(0, 0, 1).slice(2, 0, 1).slice(3, 0, 1);
  });
}

}  // namespace
}  // namespace retia::kernels
