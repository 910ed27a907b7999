#pragma once

#include <ATen/ops/zeros.h>

#include <vector>

#include "kernels/mixed_op/mixed_op_stage.h"

namespace retia::kernels::cpu {

/// What becomes gradients of weights: summed over runs of images, and those in their order, so that
/// the bits do not depend on the number of threads.
template <class T>
class RunsOfWeightSums {
 public:
  RunsOfWeightSums(at::TensorList weights, int64_t n_runs, int64_t c)
      : weights_(weights), n_runs_(n_runs) {
    for (const at::Tensor& weight : weights) {
      places_.push_back(size_);
      const int64_t taps = weight.size(2) * weight.size(3);
      size_ += taps > 1 ? taps * c : 2 * c * c;
    }
  }

  /// From now on they are summed.
  void begin() { sums_ = Numbers<T>(n_runs_ * size_); }

  /// Where a stage sums those of a run; nowhere unless begun.
  WeightSums<T> of(const Stage<T>& stage, int64_t run) const {
    if (sums_.get() == nullptr) {
      return {};
    }
    const auto at = static_cast<size_t>(stage.first_weight);
    T* const sums = sums_ + run * size_;
    return stage.kind == StageKind::Halving
               ? WeightSums<T>{nullptr, sums + places_[at]}
               : WeightSums<T>{sums + places_[at], sums + places_[at + 1]};
  }

  /// Of each weight; undefined unless begun.
  std::vector<at::Tensor> gradients(const Plan<T>& plan) const {
    std::vector<at::Tensor> gradients(weights_.size());
    if (sums_.get() == nullptr) {
      return gradients;
    }
    for (size_t i = 0; i < weights_.size(); ++i) {
      gradients[i] = at::zeros(weights_[i].sizes(), weights_[i].options());
    }
    for (int64_t run = 1; run < n_runs_; ++run) {
      for (int64_t k = 0; k < size_; ++k) {
        sums_[k] += sums_[run * size_ + k];
      }
    }
    for (const Stage<T>& stage : plan.stages) {
      if (!stage.is_pool()) {
        const WeightSums<T> sums = of(stage, 0);
        plan.unpack(stage, sums.stencil, sums.product, gradients);
      }
    }
    return gradients;
  }

 private:
  const at::TensorList weights_;
  const int64_t n_runs_;
  std::vector<int64_t> places_;
  int64_t size_ = 0;
  Numbers<T> sums_;  // [runs, size]
};

}  // namespace retia::kernels::cpu
