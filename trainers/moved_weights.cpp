#include "retia/trainers/moved_weights.h"

#include <ATen/core/grad_mode.h>

namespace retia {

MovedWeights::MovedWeights(const std::vector<at::Tensor>& weights,
                           const std::vector<at::Tensor>& direction, double shift) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (direction[i].defined()) {
      moved_.push_back(weights[i]);
      saved_.push_back(weights[i].clone());
      moved_.back().add_(direction[i], shift);
    }
  }
}

MovedWeights::~MovedWeights() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < moved_.size(); ++i) {
    moved_[i].copy_(saved_[i]);
  }
}

}  // namespace retia
