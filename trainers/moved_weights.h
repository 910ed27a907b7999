#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace retia {

/// Moves `weights` to w + shift * direction, in place, for as long as the object lives; then
/// restores their exact bits. Weights with undefined directions are not moved.
class [[nodiscard]] MovedWeights {
 public:
  /// `direction`: one tensor per weight, of its shape, or undefined.
  MovedWeights(const std::vector<at::Tensor>& weights, const std::vector<at::Tensor>& direction,
               double shift);
  ~MovedWeights();
  MovedWeights(const MovedWeights&) = delete;
  MovedWeights& operator=(const MovedWeights&) = delete;

 private:
  std::vector<at::Tensor> moved_, saved_;
};

}  // namespace retia
