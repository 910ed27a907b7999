#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <string>
#include <vector>

#include "retia/kernels/conv_norm/conv_norm.h"

namespace retia::kernels {

/// A layer that tests compare or the benchmark times.
struct ConvNormCase {
  std::string name;
  ConvKind kind = ConvKind::None;
  int64_t n = 1, channels = 1, out = 1, height = 1, width = 1;
  int64_t kernel = 1, stride = 1, dilation = 1;
};

/// The arguments of conv_norm for a case. gradient: of the result.
struct ConvNormInputs {
  at::Tensor x, gradient;
  std::vector<at::Tensor> weights, affine, running;
  ConvNormOptions options;
};

/// Returns random arguments for a case. Where the kind fixes the channels of the result, `of.out`
/// is ignored.
inline ConvNormInputs random_inputs(const ConvNormCase& of, at::ScalarType dtype) {
  const int64_t c = of.channels, k = of.kernel, s = of.stride;
  ConvNormInputs in;
  in.x = at::randn({of.n, c, of.height, of.width}, dtype);
  int64_t out = of.out;
  switch (of.kind) {
    case ConvKind::Dense:
      in.weights = {at::randn({out, c, k, k}, dtype)};
      break;
    case ConvKind::Separable:
      in.weights = {at::randn({c, 1, k, k}, dtype), at::randn({out, c, 1, 1}, dtype)};
      break;
    case ConvKind::Halving:
      in.weights = {at::randn({out / 2, c, 1, 1}, dtype),
                    at::randn({out - out / 2, c, 1, 1}, dtype)};
      break;
    case ConvKind::Depthwise:
      in.weights = {at::randn({c, 1, k, k}, dtype)};
      [[fallthrough]];
    default:
      out = c;
  }
  in.gradient = at::randn({of.n, out, (of.height + s - 1) / s, (of.width + s - 1) / s}, dtype);
  in.affine = {at::randn({out}, dtype), at::randn({out}, dtype)};
  in.running = {at::randn({out}, dtype), at::rand({out}, dtype) + 0.5};
  in.options = {.kind = static_cast<int64_t>(of.kind), .stride = s, .dilation = of.dilation};
  return in;
}

/// Returns layers of search networks of usual sizes.
inline std::vector<ConvNormCase> conv_norm_cases() {
  const auto layer = [](std::string name, ConvKind kind, int64_t channels, int64_t out,
                        int64_t size, int64_t kernel, int64_t stride, int64_t n = 32) {
    return ConvNormCase{std::move(name), kind, n, channels, out, size, size, kernel, stride, 1};
  };
  return {layer("stem", ConvKind::Dense, 3, 24, 32, 3, 1),
          layer("preprocess", ConvKind::Dense, 64, 16, 32, 1, 1),
          layer("pointwise", ConvKind::Dense, 16, 16, 32, 1, 1),
          layer("conv3", ConvKind::Dense, 16, 16, 32, 3, 1),
          layer("conv5", ConvKind::Dense, 16, 16, 32, 5, 1),
          layer("depthwise3", ConvKind::Depthwise, 8, 8, 32, 3, 1),
          layer("depthwise5", ConvKind::Depthwise, 16, 16, 16, 5, 2),
          layer("depthwise7", ConvKind::Depthwise, 8, 8, 32, 7, 1),
          layer("separable5", ConvKind::Separable, 16, 16, 32, 5, 1),
          layer("halving", ConvKind::Halving, 16, 16, 32, 1, 2),
          layer("max_pool", ConvKind::MaxPool3, 16, 16, 32, 3, 1),
          layer("average_pool", ConvKind::AveragePool3, 16, 16, 32, 3, 1),
          layer("norm", ConvKind::None, 16, 16, 32, 1, 1),
          layer("conv3_one", ConvKind::Dense, 64, 64, 32, 3, 1, 1),
          layer("pointwise_one", ConvKind::Dense, 64, 64, 32, 1, 1, 1),
          layer("separable5_one", ConvKind::Separable, 64, 64, 32, 5, 1, 1),
          layer("separable5_two", ConvKind::Separable, 16, 16, 32, 5, 1, 2),
          layer("depthwise3_one", ConvKind::Depthwise, 64, 64, 32, 3, 1, 1),
          layer("norm_one", ConvKind::None, 64, 64, 32, 1, 1, 1)};
}

}  // namespace retia::kernels
