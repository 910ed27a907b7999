#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <torch/nn/module.h>

#include <vector>

namespace retia {

/// Standard normal numbers in double.
inline at::Tensor normal_tensor(const std::vector<int64_t>& sizes, uint64_t seed) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::kDouble);
}

/// Draws all parameters and buffers anew, in double, so that no two of them are alike; variances
/// stay positive.
inline void randomise(torch::nn::Module& module, uint64_t seed) {
  const at::NoGradGuard no_grad;
  module.to(at::kDouble);
  at::Generator generator = at::detail::createCPUGenerator(seed);
  for (at::Tensor& parameter : module.parameters()) {
    parameter.uniform_(-1, 1, generator);
  }
  for (at::Tensor& buffer : module.buffers()) {
    buffer.uniform_(0.5, 1.5, generator);
  }
}

}  // namespace retia
