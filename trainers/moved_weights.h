#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace retia {

/// While it lives, `weights` stand at w + shift * direction, in place; then they have the bits they
/// had before. Undefined directions move nothing.
class [[nodiscard]] MovedWeights {
 public:
  MovedWeights(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& direction,
               double shift);
  ~MovedWeights();
  MovedWeights(const MovedWeights&) = delete;
  MovedWeights& operator=(const MovedWeights&) = delete;

 private:
  std::vector<at::Tensor> moved_, saved_;
};

}  // namespace retia
