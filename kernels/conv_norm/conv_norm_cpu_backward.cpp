#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "retia/kernels/conv_norm/conv_norm_plan.h"
#include "retia/kernels/mixed_op/mixed_op_norm.h"
#include "retia/kernels/parallel.h"

namespace retia::kernels::cpu {
namespace {

constexpr int32_t kHere = 0;  // the one tap of a pointwise product
constexpr int64_t kSumsOfATask = 1024;

template <class T>
class BackwardPass {
 public:
  BackwardPass(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& out,
               at::TensorList weights, at::TensorList affine, const at::Tensor& kept,
               const at::Tensor& moments, const ConvNormOptions& options, ConvNormNeeds needs)
      : plan_(x, weights, options, Direction::Backward),
        c_(plan_.c_out),
        n_out_(plan_.geometry.n_out),
        options_(options),
        needs_(needs),
        gradient_(gradient),
        x_(x),
        out_(out),
        kept_(kept),
        weights_(weights),
        affine_(affine),
        mean_(moments.const_data_ptr<T>()),
        size_(plan_.geometry.n_out_whole * c_),
        workplaces_(plan_),
        coefficients_(3 * c_),
        n_runs_(std::min(kRuns, plan_.n)),
        stencil_size_(plan_.is_depthwise() ? plan_.kernel * plan_.kernel * plan_.c_in : 0),
        product_size_(plan_.kind == ConvKind::Depthwise ? 0 : plan_.columns() * c_) {}

  ConvNormGradients run() {
    ConvNormGradients result;
    const Numbers<double> sums = sums_behind();
    result.affine = affine_gradients(sums);
    needs_.weights = needs_.weights && !weights_.empty();
    if (!needs_.x && !needs_.weights) {
      result.weights.resize(weights_.size());
      return result;
    }
    auto count = static_cast<double>(plan_.n * n_out_);
    if (options_.training && options_.ranks != nullptr) {
      sum_over_ranks({sums}, 2 * c_, count, *options_.ranks);
    }
    for (int64_t k = 0; k < c_; ++k) {
      const bool scaled = !affine_.empty() && k < plan_.channels_out;
      set_coefficients(coefficients_.get(), mean_, sums.get(),
                       scaled ? affine_[0].const_data_ptr<T>()[k] : T(1), count, options_.training,
                       c_, k);
    }
    if (needs_.weights) {
      weight_sums_ = Numbers<T>::unset(n_runs_ * (stencil_size_ + product_size_));
    }
    result.x = through_convolution();
    result.weights = weight_gradients();
    return result;
  }

 private:
  /// Calls body(workplace, run, first image, end) for each run of images.
  template <class Body>
  void for_runs(const Body& body) {
    parallel_for(n_runs_, [&](Tasks& runs) {
      const ConvNormBackwardWorkplace<T>& w = workplaces_.mine();
      for (const int64_t run : runs) {
        body(w, run, plan_.n * run / n_runs_, plan_.n * (run + 1) / n_runs_);
      }
    });
  }

  /// The images that a pass over a run reads.
  struct Readers {
    Images<T> gradients, outs, x;
  };
  Readers readers() const {
    return {Images<T>(gradient_, c_), Images<T>(options_.relu_after ? out_ : gradient_, c_),
            Images<T>(x_, plan_.c_in)};
  }

  /// The gradient behind the normalisation.
  const T* behind(const Readers& read, int64_t i, const ConvNormBackwardWorkplace<T>& w) const {
    const T* const g = read.gradients.image(i);
    if (!options_.relu_after) {
      return g;
    }
    plan_.out_lanes.rectify_gradient(read.outs.image(i), g, plan_.out_rows.data(), w.gradient.get(),
                                     n_out_, c_);
    return w.gradient.get();
  }

  /// What was normalised.
  const T* normalised(const Readers& read, int64_t i) const {
    return kept_.defined() ? kept_.const_data_ptr<T>() + i * size_ : read.x.image(i);
  }

  /// Σ g and Σ g · (y - mean), [2, c].
  Numbers<double> sums_behind() {
    const Numbers<T> of_images(plan_.n * 2 * c_);
    for_runs([&](const ConvNormBackwardWorkplace<T>& w, int64_t, int64_t i, int64_t end) {
      const Readers read = readers();
      for (; i < end; ++i) {
        T* const sum = of_images + i * 2 * c_;
        plan_.out_lanes.add_correlation(behind(read, i, w), normalised(read, i), mean_, n_out_, c_,
                                        sum, sum + c_);
      }
    });
    Numbers<double> sums(2 * c_);
    for (int64_t i = 0; i < plan_.n; ++i) {
      for (int64_t k = 0; k < 2 * c_; ++k) {
        sums[k] += of_images[i * 2 * c_ + k];
      }
    }
    return sums;
  }

  std::vector<at::Tensor> affine_gradients(const Numbers<double>& sums) const {
    if (affine_.empty()) {
      return {};
    }
    const at::Tensor scale = at::empty_like(affine_[0]), shift = at::empty_like(affine_[1]);
    for (int64_t k = 0; k < plan_.channels_out; ++k) {
      scale.mutable_data_ptr<T>()[k] = static_cast<T>(sums[c_ + k] * double{mean_[c_ + k]});
      shift.mutable_data_ptr<T>()[k] = static_cast<T>(sums[k]);
    }
    return {scale, shift};
  }

  /// Gradients of the weights, into sums, and of x, which is returned if needed.
  at::Tensor through_convolution() {
    at::Tensor to_x;
    if (needs_.x) {
      to_x = at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    }
    for_runs([&](const ConvNormBackwardWorkplace<T>& w, int64_t run, int64_t i, int64_t end) {
      const Readers read = readers();
      const int64_t size = stencil_size_ + product_size_;
      T* const stencil = weight_sums_ + run * size;
      if (needs_.weights) {
        std::fill_n(stencil, size, T(0));
      }
      for (; i < end; ++i) {
        const T* const g = behind(read, i, w);
        plan_.out_lanes.affine(g, coefficients_.get(), normalised(read, i), coefficients_ + c_,
                               coefficients_ + 2 * c_, w.before.get(), n_out_, c_);
        const T* const source = fill_source(plan_, read.x.image(i), w);
        if (plan_.is_dense()) {
          through_dense(source, stencil + stencil_size_, w);
        } else if (plan_.kind != ConvKind::None) {
          through_stencil(source, stencil, stencil + stencil_size_, w);
        }
        if (needs_.x) {
          put(ImagesToWrite<T>(to_x, plan_.c_in), i, source, w);
        }
      }
    });
    return to_x;
  }

  void through_dense(const T* source, T* sum, const ConvNormBackwardWorkplace<T>& w) const {
    const int64_t c_in = plan_.c_in, columns = plan_.columns();
    const auto n_taps = static_cast<int64_t>(plan_.taps.size());
    if (needs_.x && plan_.has_tile()) {
      std::fill_n(w.to.get(), plan_.source_size(), T(0));
    }
    for (int64_t p = 0; p < n_out_; p += kBlock) {
      const int64_t n = std::min(kBlock, n_out_ - p);
      const int32_t* const from = plan_.centres().data() + p;
      const T* const before = w.before + p * c_;
      for (int64_t t = 0; needs_.weights && t < n_taps; ++t) {
        plan_.in_lanes.add_outer(before, c_, source + plan_.taps[static_cast<size_t>(t)], from,
                                 c_in, n, sum + t * c_in, columns);
      }
      if (needs_.x && !plan_.has_tile()) {
        plan_.in_lanes.product(before, plan_.out_rows.data(), &kHere, 1, c_, plan_.product.get(),
                               c_in, w.to + p * c_in, plan_.geometry.flat.data(), n, {});
      } else if (needs_.x) {
        plan_.in_lanes.product(before, plan_.out_rows.data(), &kHere, 1, c_, plan_.product.get(),
                               columns, w.wide.get(), plan_.wide_rows.data(), n, {});
        for (int64_t t = 0; t < n_taps; ++t) {
          plan_.in_lanes.add_to(w.wide + t * c_in, columns,
                                w.to + plan_.taps[static_cast<size_t>(t)], from, n, c_in);
        }
      }
    }
  }

  /// Depthwise, separable and pools.
  void through_stencil(const T* source, T* stencil_sum, T* product_sum,
                       const ConvNormBackwardWorkplace<T>& w) const {
    const Geometry& g = plan_.geometry;
    const int64_t c_in = plan_.c_in;
    if (needs_.x) {
      std::fill_n(w.to.get(), plan_.source_size(), T(0));
    }
    if (plan_.kind == ConvKind::MaxPool3) {
      plan_.in_lanes.maximum(source, g.centres.data(), plan_.taps.data(), w.pooled.get(), n_out_,
                             c_in, {});
      plan_.in_lanes.add_at_maxima(w.before.get(), w.pooled.get(), source, g.centres.data(),
                                   plan_.taps.data(), w.to.get(), n_out_, c_in);
      return;
    }
    if (plan_.kind == ConvKind::Separable) {
      through_pointwise(source, product_sum, w);
    } else if (plan_.kind == ConvKind::Depthwise) {
      plan_.in_lanes.copy(w.before.get(), w.bordered.get(), g.out_write.data(), n_out_, c_in);
    } else {
      plan_.in_lanes.scale(w.before.get(), w.shares.get(), w.bordered.get(), g.out_write.data(),
                           n_out_, c_in);
    }
    if (needs_.weights) {
      const int64_t reach = plan_.kernel / 2 * plan_.dilation;
      plan_.in_lanes.add_stencil_weights(source - reach * (g.in.row() + c_in), g.centres.data(),
                                         plan_.dilation * g.in.row(), plan_.dilation * c_in,
                                         w.bordered.get(), g.out_read.data(), n_out_, c_in,
                                         plan_.kernel, stencil_sum);
    }
    for (size_t i = 0; needs_.x && i < g.phases.size(); ++i) {
      const Phase& phase = g.phases[i];
      const PhaseTaps<T>& through = plan_.through[i];
      if (!through.taps.empty()) {
        plan_.in_lanes.add_stencil(w.bordered.get(), phase.from.data(), through.taps.data(),
                                   static_cast<int64_t>(through.taps.size()), through.weights.get(),
                                   w.to.get(), phase.to.data(), phase.n, c_in);
      }
    }
  }

  /// The gradient before a separable convolution's product, bordered, and of its weights.
  void through_pointwise(const T* source, T* sum, const ConvNormBackwardWorkplace<T>& w) const {
    const int64_t c_in = plan_.c_in;
    const int32_t* const rows = plan_.geometry.flat.data();
    for (int64_t p = 0; p < n_out_; p += kBlock) {
      const int64_t n = std::min(kBlock, n_out_ - p);
      const T* const before = w.before + p * c_;
      if (needs_.weights) {
        run_stencil(plan_, source, p, n, w.block.get(), w);
        plan_.in_lanes.add_outer(before, c_, w.block.get(), rows, c_in, n, sum, c_in);
      }
      plan_.in_lanes.product(before, plan_.out_rows.data(), &kHere, 1, c_, plan_.product.get(),
                             c_in, w.bordered.get(), plan_.geometry.out_write.data() + p, n, {});
    }
  }

  /// Writes image i of the gradient of x.
  void put(const ImagesToWrite<T>& to_x, int64_t i, const T* source,
           const ConvNormBackwardWorkplace<T>& w) const {
    const Geometry& g = plan_.geometry;
    const T* const gradient = plan_.kind == ConvKind::None ? w.before.get() : w.to.get();
    const int32_t* const from = (plan_.has_tile() ? g.in_read : g.flat).data();
    T* const to = to_x.place(i);
    if (plan_.relu_before) {
      plan_.in_lanes.rectify_gradient(source, gradient, from, to, g.n_in, plan_.c_in);
    } else {
      std::fill_n(to, g.n_in * plan_.c_in, T(0));
      plan_.in_lanes.add_from(gradient, from, to, g.n_in, plan_.c_in);
    }
    to_x.put(i);
  }

  std::vector<at::Tensor> weight_gradients() const {
    std::vector<at::Tensor> gradients(weights_.size());
    if (!needs_.weights) {
      return gradients;
    }
    for (size_t i = 0; i < weights_.size(); ++i) {
      gradients[i] = at::empty(weights_[i].sizes(), weights_[i].options());
    }
    const int64_t size = stencil_size_ + product_size_;
    const int64_t n_parts = size / kSumsOfATask + 1;
    parallel_where_worth(n_parts, n_runs_ * size, [&](int64_t part) {
      for (int64_t run = 1; run < n_runs_; ++run) {
        for (int64_t k = size * part / n_parts; k < size * (part + 1) / n_parts; ++k) {
          weight_sums_[k] += weight_sums_[run * size + k];
        }
      }
    });
    plan_.unpack(weight_sums_.get(), weight_sums_ + stencil_size_, gradients);
    return gradients;
  }

  const ConvNormPlan<T> plan_;
  const int64_t c_, n_out_;
  const ConvNormOptions& options_;
  ConvNormNeeds needs_;
  const at::Tensor gradient_, x_, out_, kept_;
  const at::TensorList weights_, affine_;
  const T* const mean_;  // and 1/deviation
  const int64_t size_;   // of an image of what is normalised
  Workplaces<ConvNormPlan<T>, ConvNormBackwardWorkplace<T>> workplaces_;
  const Numbers<T> coefficients_;  // [3, c]
  const int64_t n_runs_, stencil_size_, product_size_;
  Numbers<T> weight_sums_;  // [runs, stencil and product]
};

}  // namespace

ConvNormGradients conv_norm_backward(const at::Tensor& gradient, const at::Tensor& x,
                                     const at::Tensor& out, at::TensorList weights,
                                     at::TensorList affine, const at::Tensor& kept,
                                     const at::Tensor& moments, const ConvNormOptions& options,
                                     ConvNormNeeds needs) {
  const at::Tensor g = gradient.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "conv_norm_backward", [&] {
    return BackwardPass<scalar_t>(g, x, out, weights, affine, kept, moments, options, needs).run();
  });
}

}  // namespace retia::kernels::cpu
