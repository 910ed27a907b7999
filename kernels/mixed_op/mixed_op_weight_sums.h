#pragma once

#include <ATen/ops/empty.h>

#include <vector>

#include "retia/kernels/mixed_op/mixed_op_stage.h"
#include "retia/kernels/parallel.h"

namespace retia::kernels::cpu {

/// The sums that become gradients of weights. The images of a run are summed in their order, then
/// the runs in theirs, so that results do not depend on the number of threads.
template <class T>
class RunsOfWeightSums {
 public:
  /// weights: all weights; outlive the object. c: channels rounded up to whole vectors.
  RunsOfWeightSums(at::TensorList weights, int64_t n_runs, int64_t c)
      : weights_(weights), n_runs_(n_runs) {
    for (const at::Tensor& weight : weights) {
      places_.push_back(size_);
      const int64_t taps = weight.size(2) * weight.size(3);
      size_ += taps > 1 ? taps * c : 2 * c * c;
    }
  }

  /// Allocates the sums, to which stages add from now on.
  void begin() { sums_ = Numbers<T>::unset(n_runs_ * size_); }

  /// Sets the sums of a stage over a run to 0; called before the first image of the run.
  void begin(const Stage<T>& stage, int64_t run) const {
    if (sums_.get() != nullptr && !stage.is_pool()) {
      std::fill_n(sums_ + run * size_ + first_of(stage), end_of(stage) - first_of(stage), T(0));
    }
  }

  /// Returns the sums of a stage over a run; null pointers before begin().
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

  /// Returns the gradient of each weight; undefined tensors before begin().
  std::vector<at::Tensor> gradients(const MixedOpPlan<T>& plan) const {
    std::vector<at::Tensor> gradients(weights_.size());
    if (sums_.get() == nullptr) {
      return gradients;
    }
    for (size_t i = 0; i < weights_.size(); ++i) {
      gradients[i] = at::empty(weights_[i].sizes(), weights_[i].options());
    }
    parallel_where_worth(static_cast<int64_t>(plan.stages.size()), n_runs_ * size_, [&](int64_t s) {
      const Stage<T>& stage = plan.stages[static_cast<size_t>(s)];
      if (!stage.is_pool()) {
        for (int64_t run = 1; run < n_runs_; ++run) {
          for (int64_t k = first_of(stage); k < end_of(stage); ++k) {
            sums_[k] += sums_[run * size_ + k];
          }
        }
        const WeightSums<T> sums = of(stage, 0);
        plan.unpack(stage, sums.stencil, sums.product, gradients);
      }
    });
    return gradients;
  }

 private:
  /// Returns the offset in a run at which the sums of a stage's two weights begin.
  int64_t first_of(const Stage<T>& stage) const {
    return places_[static_cast<size_t>(stage.first_weight)];
  }
  /// Returns the offset in a run at which the sums of a stage's two weights end.
  int64_t end_of(const Stage<T>& stage) const {
    const auto next = static_cast<size_t>(stage.first_weight) + 2;
    return next < places_.size() ? places_[next] : size_;
  }

  const at::TensorList weights_;
  const int64_t n_runs_;
  std::vector<int64_t> places_;
  int64_t size_ = 0;
  Numbers<T> sums_;  // [runs, size]
};

}  // namespace retia::kernels::cpu
