#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "kernels/mixed_op/mixed_op.h"
#include "kernels/mixed_op/mixed_op_ahead.h"
#include "kernels/mixed_op/mixed_op_norm.h"
#include "kernels/mixed_op/mixed_op_stage.h"

namespace retia::kernels::cpu {
namespace {

/// The backward pass: its arguments, and what its three sweeps over the images hand on.
template <class T>
class BackwardPass {
 public:
  BackwardPass(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& blend,
               at::TensorList weights, const at::Tensor& kept, const at::Tensor& moments,
               const MixedOpOptions& options, MixedOpNeeds needs)
      : plan_(x, weights, options, Direction::Backward),
        c_(plan_.c),
        n_stages_(static_cast<int64_t>(plan_.stages.size())),
        options_(options),
        needs_(needs),
        gradient_(gradient),
        x_(x),
        blend_(blend.contiguous()),
        moments_(moments.const_data_ptr<T>()),
        size_(plan_.first.n_out_whole * c_),
        outputs_{const_cast<T*>(kept.const_data_ptr<T>()), plan_.n, size_},
        pools_(Numbers<T>::unset(plan_.n_pools * plan_.n * size_)),
        pooled_{pools_.get(), plan_.n, size_},
        workplaces_(plan_),
        coefficients_(n_stages_ * 3 * c_),
        n_runs_(std::min(kRuns, plan_.n)) {
    for (const at::Tensor& weight : weights) {
      sums_at_.push_back(sums_size_);
      const int64_t taps = weight.size(2) * weight.size(3);
      sums_size_ += taps > 1 ? taps * c_ : 2 * c_ * c_;
    }
  }

  std::tuple<at::Tensor, at::Tensor, std::vector<at::Tensor>> run(at::TensorList weights) {
    at::Tensor to_blend = blend_gradient();
    at::Tensor to_x;
    if (needs_.weights) {
      weight_sums_ = Numbers<T>(n_runs_ * sums_size_);
    }
    if (needs_.x || needs_.weights) {
      second_stages();
      to_x = first_stages();
    }
    return {to_x, to_blend, weight_gradients(weights)};
  }

 private:
  const T* mean_of(int64_t s) const { return moments_ + 2 * s * c_; }
  T* coefficients_of(int64_t s) const { return coefficients_ + 3 * s * c_; }

  /// Calls body(run, first image, end) for each run of images.
  template <class Body>
  void for_runs(const Body& body) {
    at::parallel_for(0, n_runs_, 1, [&](int64_t run, int64_t end) {
      const BackwardWorkplace<T>& w = workplaces_.mine();
      for (; run < end; ++run) {
        body(w, run, plan_.n * run / n_runs_, plan_.n * (run + 1) / n_runs_);
      }
    });
  }

  WeightSums<T> sums_of(const Stage<T>& stage, int64_t run) const {
    if (!needs_.weights) {
      return {};
    }
    const auto at = static_cast<size_t>(stage.first_weight);
    T* const sums = weight_sums_ + run * sums_size_;
    return stage.kind == StageKind::Halving
               ? WeightSums<T>{nullptr, sums + sums_at_[at]}
               : WeightSums<T>{sums + sums_at_[at], sums + sums_at_[at + 1]};
  }

  /// Σ g and Σ g · (y - mean) [2, c] over the images of each run, summed.
  Numbers<double> total(const Numbers<T>& sums, int64_t place, int64_t n_places) const {
    Numbers<double> result(2 * c_);
    for (int64_t i = 0; i < plan_.n; ++i) {
      for (int64_t k = 0; k < 2 * c_; ++k) {
        result[k] += sums[(i * n_places + place) * 2 * c_ + k];
      }
    }
    return result;
  }

  /// Sets the coefficients of these stages by the sums behind each.
  void set_all_coefficients(const std::vector<int64_t>& stages,
                            const std::vector<Numbers<double>>& sums) {
    auto count = static_cast<double>(plan_.n * plan_.first.n_out);
    if (options_.training && options_.ranks != nullptr && !stages.empty()) {
      sum_over_ranks(sums, 2 * c_, count, *options_.ranks);
    }
    for (size_t i = 0; i < stages.size(); ++i) {
      const int64_t s = stages[i], branch = plan_.stages[static_cast<size_t>(s)].branch;
      const T factor = branch < 0 ? T(1) : blend_.const_data_ptr<T>()[branch];
      for (int64_t k = 0; k < c_; ++k) {
        set_coefficients(coefficients_of(s), mean_of(s), sums[i].get(), factor, count,
                         options_.training, c_, k);
      }
    }
  }

  /// What forward kept of the branches of image i.
  Ahead<T> kept_branches(int64_t i) const {
    Ahead<T> kept = {};
    for (const int64_t s : plan_.last_stage) {
      if (s >= 0 && !plan_.stages[static_cast<size_t>(s)].is_pool()) {
        add_array<T>(kept, outputs_(plan_.stages[static_cast<size_t>(s)].place, i));
      }
    }
    return kept;
  }

  /// What a branch's last stage made of image i before its normalisation; pools are made again.
  const T* last_output(int64_t s, int64_t i, const BackwardWorkplace<T>& w) const {
    const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
    if (!stage.is_pool()) {
      return outputs_(stage.place, i);
    }
    run_pool(plan_, stage, pooled_(stage.place, i), kept_branches(i), w);
    return pooled_(stage.place, i);
  }

  /// The gradient of blend; sets the coefficients of each branch's last stage where they are
  /// needed.
  at::Tensor blend_gradient() {
    const auto n_branches = static_cast<int64_t>(plan_.last_stage.size());
    const Numbers<T> sums(plan_.n * n_branches * 2 * c_);
    for_runs([&](const BackwardWorkplace<T>& w, int64_t, int64_t i, int64_t end) {
      const Images<T> gradients(gradient_, c_);
      const Images<T> images(x_, c_);
      for (; i < end; ++i) {
        const T* const g = gradients.image(i);
        const T* const x = images.image(i);
        fill_for_pools(plan_, x, w);
        for (int64_t b = 0; b < n_branches; ++b) {
          const int64_t s = plan_.last_stage[static_cast<size_t>(b)];
          const T* const y = s < 0 ? x : last_output(s, i, w);
          T* const sum = sums + (i * n_branches + b) * 2 * c_;
          plan_.lanes.add_correlation(g, y, s < 0 ? w.zeros.get() : mean_of(s), plan_.first.n_out,
                                      c_, sum, sum + c_);
        }
      }
    });
    const at::Tensor result = at::zeros({n_branches}, blend_.options());
    std::vector<int64_t> stages;
    std::vector<Numbers<double>> behind;
    for (int64_t b = 0; b < n_branches; ++b) {
      const int64_t s = plan_.last_stage[static_cast<size_t>(b)];
      const Numbers<double> both = total(sums, b, n_branches);
      double of_blend = 0;
      for (int64_t k = 0; k < plan_.channels; ++k) {
        of_blend += both[c_ + k] * (s < 0 ? 1.0 : double{mean_of(s)[c_ + k]});
      }
      result.mutable_data_ptr<T>()[b] = static_cast<T>(of_blend);
      if (s >= 0) {
        stages.push_back(s);
        behind.push_back(both);
      }
    }
    if (needs_.x || needs_.weights) {
      set_all_coefficients(stages, behind);
    }
    return result;
  }

  /// The stages that read a stage: gradients of their weights and of what they read.
  void second_stages() {
    for (int64_t s = 0; s < n_stages_; ++s) {
      const bool is_read = plan_.stages[static_cast<size_t>(s)].branch < 0;
      of_stage_.push_back(Numbers<T>::unset(is_read ? plan_.n * size_ : 0));
    }
    const std::vector<int64_t> seconds = plan_.stages_on(false);
    const auto add_ahead = [&](Ahead<T>& ahead, size_t k, int64_t i) {
      const Stage<T>& stage = plan_.stages[static_cast<size_t>(seconds[k])];
      add_array<T>(ahead, outputs_(stage.place, i));
      add_array<T>(ahead, of_stage_[static_cast<size_t>(stage.source)] + i * size_);
      add_array<T>(ahead, outputs_(plan_.stages[static_cast<size_t>(stage.source)].place, i));
      if (k == 0) {
        add_array(ahead, gradient_.const_data_ptr<T>() + i * gradient_.stride(0));
      }
    };
    const Numbers<T> sums(plan_.n * n_stages_ * 2 * c_);
    for_runs([&](const BackwardWorkplace<T>& w, int64_t run, int64_t i, int64_t end) {
      const Images<T> gradients(gradient_, c_);
      for (; i < end; ++i) {
        const T* const g = gradients.image(i);
        for (size_t k = 0; k < seconds.size(); ++k) {
          const int64_t s = seconds[k];
          const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
          const Stage<T>& source = plan_.stages[static_cast<size_t>(stage.source)];
          const T* const mean = mean_of(stage.source);
          const T* const y = outputs_(source.place, i);
          fill_second(plan_, y, mean, w);
          stage_gradient(plan_, stage, w.second.get(), g, coefficients_of(s),
                         outputs_(stage.place, i), sums_of(stage, run), w.second_in.get(),
                         look_ahead<T>(plan_, seconds, k, i, add_ahead), w);
          T* const to = of_stage_[static_cast<size_t>(stage.source)] + i * size_;
          plan_.lanes.rectify_gradient(w.second.get(), w.second_in.get(),
                                       plan_.second.in_read.data(), to, plan_.second.n_in, c_);
          T* const sum = sums + (i * n_stages_ + stage.source) * 2 * c_;
          plan_.lanes.add_correlation(to, y, mean, plan_.second.n_in, c_, sum, sum + c_);
        }
      }
    });
    std::vector<int64_t> stages;
    std::vector<Numbers<double>> behind;
    for (int64_t s = 0; s < n_stages_; ++s) {
      if (plan_.stages[static_cast<size_t>(s)].branch < 0) {
        stages.push_back(s);
        behind.push_back(total(sums, s, n_stages_));
      }
    }
    set_all_coefficients(stages, behind);
  }

  /// The stages that read x: gradients of their weights and of x, which is returned if needed.
  at::Tensor first_stages() {
    at::Tensor to_x;
    if (needs_.x) {
      to_x = at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    }
    const std::vector<int64_t> firsts = plan_.stages_on(true);
    const auto add_ahead = [&](Ahead<T>& ahead, size_t k, int64_t i) {
      const int64_t s = firsts[k];
      const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
      add_array<T>(ahead, (stage.is_pool() ? pooled_ : outputs_)(stage.place, i));
      if (stage.branch < 0) {
        add_array<T>(ahead, of_stage_[static_cast<size_t>(s)] + i * size_);
      }
      if (k == 0) {
        add_array(ahead, gradient_.const_data_ptr<T>() + i * gradient_.stride(0));
        add_array(ahead, x_.const_data_ptr<T>() + i * x_.stride(0));
        if (needs_.x) {
          add_array(ahead, to_x.const_data_ptr<T>() + i * to_x.stride(0));
        }
      }
    };
    for_runs([&](const BackwardWorkplace<T>& w, int64_t run, int64_t i, int64_t end) {
      const Images<T> gradients(gradient_, c_);
      const Images<T> images(x_, c_);
      for (; i < end; ++i) {
        const T* const g = gradients.image(i);
        const T* const x = images.image(i);
        fill_rectified(plan_, x, w);
        for (const Numbers<T>* const sum : {&w.first_in, &w.pools_in}) {
          std::fill_n(sum->get(), plan_.first.in.size(), T(0));
        }
        for (size_t k = 0; k < firsts.size(); ++k) {
          const int64_t s = firsts[k];
          const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
          if (stage.is_pool() && needs_.x) {
            pool_gradient(plan_, stage, x, g, coefficients_of(s), pooled_(stage.place, i), w);
          } else if (!stage.is_pool()) {
            const T* const behind =
                stage.branch >= 0 ? g : of_stage_[static_cast<size_t>(s)] + i * size_;
            stage_gradient(plan_, stage, w.rectified.get(), behind, coefficients_of(s),
                           outputs_(stage.place, i), sums_of(stage, run),
                           needs_.x ? w.first_in.get() : nullptr,
                           look_ahead<T>(plan_, firsts, k, i, add_ahead), w);
          }
        }
        if (needs_.x) {
          join(ImagesToWrite<T>(to_x, c_), i, g, w);
        }
      }
    });
    return to_x;
  }

  /// Image i of the gradient of x, of what came through convolutions, pools and the identity.
  void join(const ImagesToWrite<T>& to_x, int64_t i, const T* g, const BackwardWorkplace<T>& w) {
    const Geometry& geometry = plan_.first;
    T* const to = to_x.place(i);
    plan_.lanes.rectify_gradient(w.rectified.get(), w.first_in.get(), geometry.in_read.data(), to,
                                 geometry.n_in, c_);
    plan_.lanes.add_from(w.pools_in.get(), geometry.in_read.data(), to, geometry.n_in, c_);
    T factor = 0;
    for (size_t b = 0; b < plan_.last_stage.size(); ++b) {
      factor += plan_.last_stage[b] < 0 ? blend_.const_data_ptr<T>()[b] : T(0);
    }
    if (factor != 0) {
      const Numbers<T> factors(2 * c_);
      std::fill_n(factors.get(), c_, factor);
      std::fill_n(factors + c_, c_, T(1));
      plan_.lanes.affine(g, factors.get(), to, factors + c_, w.zeros.get(), to, geometry.n_in, c_);
    }
    to_x.put(i);
  }

  std::vector<at::Tensor> weight_gradients(at::TensorList weights) const {
    std::vector<at::Tensor> gradients(weights.size());
    if (!needs_.weights) {
      return gradients;
    }
    for (size_t i = 0; i < weights.size(); ++i) {
      gradients[i] = at::zeros(weights[i].sizes(), weights[i].options());
    }
    for (int64_t run = 1; run < n_runs_; ++run) {
      for (int64_t k = 0; k < sums_size_; ++k) {
        weight_sums_[k] += weight_sums_[run * sums_size_ + k];
      }
    }
    for (const Stage<T>& stage : plan_.stages) {
      if (!stage.is_pool()) {
        const WeightSums<T> sums = sums_of(stage, 0);
        plan_.unpack(stage, sums.stencil, sums.product, gradients);
      }
    }
    return gradients;
  }

  const Plan<T> plan_;
  const int64_t c_, n_stages_;
  const MixedOpOptions& options_;
  const MixedOpNeeds needs_;
  const at::Tensor gradient_, x_, blend_;
  const T* const moments_;
  const int64_t size_;  // of an image of what is made
  const Outputs<T> outputs_;
  const Numbers<T> pools_;
  const Outputs<T> pooled_;
  Workplaces<Plan<T>, BackwardWorkplace<T>> workplaces_;
  const Numbers<T> coefficients_;     // [stages, 3, c]
  std::vector<Numbers<T>> of_stage_;  // gradients behind the normalisations of first stages
  const int64_t n_runs_;
  std::vector<int64_t> sums_at_;
  int64_t sums_size_ = 0;
  Numbers<T> weight_sums_;  // [runs, sums_size]
};

}  // namespace

std::tuple<at::Tensor, at::Tensor, std::vector<at::Tensor>> mixed_op_backward(
    const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& blend,
    at::TensorList weights, const at::Tensor& kept, const at::Tensor& moments,
    const MixedOpOptions& options, MixedOpNeeds needs) {
  const at::Tensor g = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_op_backward", [&] {
    return BackwardPass<scalar_t>(g, read, blend, weights, kept, moments, options, needs)
        .run(weights);
  });
}

}  // namespace retia::kernels::cpu
