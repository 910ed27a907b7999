#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "retia/kernels/conv_norm/conv_norm_plan.h"
#include "retia/kernels/parallel.h"
#include "retia/kernels/stencil/norm.h"

namespace retia::kernels::cpu {
namespace {

constexpr int32_t kHere = 0;  // the one tap of a pointwise product
constexpr int64_t kSumsOfATask = 1024;

template <class T>
class ConvNormBackwardPass {
 public:
  ConvNormBackwardPass(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& out,
                       at::TensorList weights, at::TensorList affine, const at::Tensor& kept,
                       const at::Tensor& moments, const ConvNormOptions& options,
                       ConvNormNeeds needs)
      : plan_(x, weights, options, Way::Backward),
        c_(plan_.c_out),
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
        workspaces_(plan_),
        coefficients_(3 * c_),
        n_runs_(std::min(kRuns, plan_.n * plan_.n_parts)),
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
    auto count = static_cast<double>(plan_.n * plan_.geometry.n_out);
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
  /// The tensors that the sweeps read.
  struct Readers {
    Images<T> gradients, outs, x;
  };
  Readers readers() const {
    return {Images<T>(gradient_, c_), Images<T>(options_.relu_after ? out_ : gradient_, c_),
            Images<T>(x_, plan_.c_in)};
  }

  /// Pointers from which the gradient before normalisation is computed, at some pixels of an image.
  struct Behind {
    const T *gradient, *gate, *normalised;
  };
  Behind behind(const Readers& read, int64_t i, Pixels at) const {
    const int64_t first = at.first * c_;
    return {read.gradients.image(i, at) + first,
            options_.relu_after ? read.outs.image(i, at) + first : nullptr,
            (plan_.kind != ConvKind::None ? kept_.const_data_ptr<T>() + i * size_
                                          : read.x.image(i, at)) +
                first};
  }

  /// Returns Σ g and Σ g · (y - mean), [2, c]. g: gradient behind the normalisation.
  Numbers<double> sums_behind() {
    const int64_t n_parts = plan_.n * plan_.n_parts;
    const Numbers<T> of_parts(n_parts * 2 * c_);
    parallel_for(n_parts, [&](Tasks& parts) {
      const Readers read = readers();
      for (const int64_t part : parts) {
        const int64_t of_image = part % plan_.n_parts;
        const Pixels own = plan_.outputs_of(of_image, of_image + 1);
        const auto [g, gate, y] = behind(read, part / plan_.n_parts, own);
        T* const sum = of_parts + part * 2 * c_;
        plan_.out_lanes.add_correlation(g, gate, y, mean_, own.n(), c_, sum, sum + c_);
      }
    });
    Numbers<double> sums(2 * c_);
    for (int64_t part = 0; part < n_parts; ++part) {
      for (int64_t k = 0; k < 2 * c_; ++k) {
        sums[k] += of_parts[part * 2 * c_ + k];
      }
    }
    return sums;
  }

  /// Calls body(readers, span, run, workspace) for all parts of all images. run: the sums to which
  /// the first part of the span adds gradients of weights: one per run of images, which one thread
  /// goes through in order, or one per part where there are fewer images.
  template <class Body>
  void for_spans(const Body& body) {
    const bool of_images = plan_.n_parts == 1;
    const Spans spans(plan_.n, plan_.n_parts);
    parallel_for(of_images ? n_runs_ : spans.n(), [&](Tasks& tasks) {
      const ConvNormBackwardWorkspace<T>& w = workspaces_.mine();
      const Readers read = readers();
      for (const int64_t task : tasks) {
        if (!of_images) {
          const Span span = spans[task];
          body(read, span, span.image * plan_.n_parts + span.first, w);
          continue;
        }
        for (int64_t i = plan_.n * task / n_runs_; i < plan_.n * (task + 1) / n_runs_; ++i) {
          body(read, Span{i, 0, 1}, task, w);
        }
      }
    });
  }

  /// Returns the sums of a run, after setting them to 0 where the span is the first to add to them;
  /// null where gradients of weights are not needed.
  T* begin_sums(const Span& span, int64_t run) const {
    if (!needs_.weights) {
      return nullptr;
    }
    const int64_t size = stencil_size_ + product_size_;
    if (plan_.n_parts > 1 || span.image == plan_.n * run / n_runs_) {
      std::fill_n(weight_sums_ + run * size, (span.end - span.first) * size, T(0));
    }
    return weight_sums_ + run * size;
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

  /// The pixels of an image that a task works on.
  struct Area {
    Span span;
    Pixels own;       // outputs whose part of the gradients of weights the task sums
    Pixels to;        // inputs whose gradients the task computes
    Pixels computed;  // outputs that these gradients take, in whole blocks
    Pixels read;      // inputs that the task reads
  };
  Area area_of(const Span& span) const {
    Area area = {.span = span, .own = {}, .to = {}, .computed = {}, .read = {}};
    area.own = area.computed = plan_.outputs_of(span.first, span.end);
    if (needs_.x) {
      area.to = plan_.inputs_of(area.own);
    }
    if (area.to.n() > 0) {
      const Pixels readers = plan_.outputs_reading(area.to);
      Pixels whole = area.own;
      plan_.for_blocks(readers, [&](int64_t, int64_t p, int64_t n) {
        whole = {std::min(whole.first, p), std::max(whole.end, p + n)};
      });
      area.computed = whole;
    }
    area.read = plan_.inputs_read_by(plan_.kind == ConvKind::MaxPool3 ? area.computed : area.own);
    if (area.to.n() > 0) {
      area.read = {std::min(area.read.first, area.to.first), std::max(area.read.end, area.to.end)};
    }
    return area;
  }

  /// Sums the gradients of weights. Returns the gradient of x, if needed.
  at::Tensor through_convolution() {
    at::Tensor to_x;
    if (needs_.x) {
      to_x = at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    }
    for_spans([&](const Readers& read, const Span& span, int64_t run,
                  const ConvNormBackwardWorkspace<T>& w) {
      T* const sums = begin_sums(span, run);
      const Area area = area_of(span);
      const auto [g, gate, y] = behind(read, span.image, area.computed);
      if (plan_.kind == ConvKind::None) {
        const ImagesToWrite<T> write(to_x, c_);
        before(g, gate, y, area.computed, write.place(span.image));
        write.put(span.image, area.to);
        return;
      }
      before(g, gate, y, area.computed, w.before.get());
      const T* const source = fill_source(plan_, read.x.image(span.image, area.read), area.read, w);
      if (plan_.is_dense()) {
        through_dense(source, area, sums, w);
      } else {
        through_stencil(source, area, sums, w);
      }
      if (needs_.x) {
        put(ImagesToWrite<T>(to_x, plan_.c_in), span.image, area.to, source, w);
      }
    });
    return to_x;
  }

  /// Sets pixels of an image of gradients before the normalisation.
  void before(const T* g, const T* gate, const T* y, Pixels at, T* image) const {
    plan_.out_lanes.affine(g, gate, coefficients_.get(), y, coefficients_ + c_,
                           coefficients_ + 2 * c_, image + at.first * c_, at.n(), c_);
  }

  /// Returns the sums to which a part adds gradients of weights; null where these are not needed or
  /// the part belongs to another task. sums: those of the first part of the span.
  T* sums_of(T* sums, const Span& span, int64_t part) const {
    const bool is_own = span.first <= part && part < span.end;
    return sums == nullptr || !is_own
               ? nullptr
               : sums + (part - span.first) * (stencil_size_ + product_size_);
  }

  /// Sets the gradient of the source to 0 where outputs add to it.
  void clear(const Area& area, const ConvNormBackwardWorkspace<T>& w) const {
    const Tile& in = plan_.geometry.in;
    const auto row = [&](int64_t output) {
      return output / plan_.geometry.out.width * plan_.geometry.stride;
    };
    const int64_t first = row(area.computed.first) - in.border;
    const int64_t end =
        std::max(row(area.computed.end - 1) + in.border + 1, area.to.end / in.width);
    std::fill(w.to + in.at(first, -in.border),
              w.to + in.at(std::min(end, in.height + in.border), -in.border), T(0));
  }

  void through_dense(const T* source, const Area& area, T* sums,
                     const ConvNormBackwardWorkspace<T>& w) const {
    const int64_t c_in = plan_.c_in, columns = plan_.columns();
    const auto n_taps = static_cast<int64_t>(plan_.taps.size());
    if (needs_.x && plan_.has_tile()) {
      clear(area, w);
    }
    plan_.for_blocks(area.computed, [&](int64_t part, int64_t p, int64_t n) {
      const int32_t* const from = plan_.centres().data() + p;
      const T* const before = w.before + p * c_;
      T* const sum = sums_of(sums, area.span, part);
      for (int64_t t = 0; sum != nullptr && t < n_taps; ++t) {
        plan_.in_lanes.add_outer(before, c_, source + plan_.taps[static_cast<size_t>(t)], from,
                                 c_in, n, sum + stencil_size_ + t * c_in, columns);
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
    });
  }

  /// Goes back through a depthwise or separable convolution or a pool.
  void through_stencil(const T* source, const Area& area, T* sums,
                       const ConvNormBackwardWorkspace<T>& w) const {
    const Geometry& g = plan_.geometry;
    const int64_t c_in = plan_.c_in;
    const int64_t first = area.computed.first, n = area.computed.n();
    const T* const before = w.before + first * c_;
    if (needs_.x) {
      clear(area, w);
    }
    if (plan_.kind == ConvKind::MaxPool3) {
      T* const pooled = w.pooled + first * c_in;
      plan_.in_lanes.maximum(source, g.centres.data() + first, plan_.taps.data(), pooled, n, c_in,
                             {});
      plan_.in_lanes.add_at_maxima(before, pooled, source, g.centres.data() + first,
                                   plan_.taps.data(), w.to.get(), n, c_in);
      return;
    }
    if (plan_.kind == ConvKind::Separable) {
      through_pointwise(source, area, sums, w);
    } else if (plan_.kind == ConvKind::Depthwise) {
      plan_.in_lanes.copy(before, w.bordered.get(), g.out_write.data() + first, n, c_in);
    } else {
      plan_.in_lanes.scale(before, w.shares + first, w.bordered.get(), g.out_write.data() + first,
                           n, c_in);
    }
    for (int64_t part = area.span.first; sums != nullptr && part < area.span.end; ++part) {
      const Pixels own = plan_.outputs_of(part, part + 1);
      const int64_t reach = plan_.kernel / 2 * plan_.dilation;
      plan_.in_lanes.add_stencil_weights(source - reach * (g.in.row() + c_in),
                                         g.centres.data() + own.first, plan_.dilation * g.in.row(),
                                         plan_.dilation * c_in, w.bordered.get(),
                                         g.out_read.data() + own.first, own.n(), c_in, plan_.kernel,
                                         sums_of(sums, area.span, part));
    }
    for (size_t i = 0; needs_.x && i < g.phases.size(); ++i) {
      const Phase& phase = g.phases[i];
      const PhaseTaps<T>& through = plan_.through[i];
      const Pixels to = phase.of_rows(area.to.first / g.in.width, area.to.end / g.in.width);
      if (!through.taps.empty() && to.n() > 0) {
        plan_.in_lanes.add_stencil(w.bordered.get(), phase.from.data() + to.first,
                                   through.taps.data(), static_cast<int64_t>(through.taps.size()),
                                   through.weights.get(), w.to.get(), phase.to.data() + to.first,
                                   to.n(), c_in);
      }
    }
  }

  /// Computes the gradient before the product of a separable convolution, in a tile, and the
  /// gradient of the product's weights.
  void through_pointwise(const T* source, const Area& area, T* sums,
                         const ConvNormBackwardWorkspace<T>& w) const {
    const int64_t c_in = plan_.c_in;
    const int32_t* const rows = plan_.geometry.flat.data();
    plan_.for_blocks(area.computed, [&](int64_t part, int64_t p, int64_t n) {
      const T* const before = w.before + p * c_;
      if (T* const sum = sums_of(sums, area.span, part)) {
        run_stencil(plan_, source, p, n, w.block.get(), w);
        plan_.in_lanes.add_outer(before, c_, w.block.get(), rows, c_in, n, sum + stencil_size_,
                                 c_in);
      }
      plan_.in_lanes.product(before, plan_.out_rows.data(), &kHere, 1, c_, plan_.product.get(),
                             c_in, w.bordered.get(), plan_.geometry.out_write.data() + p, n, {});
    });
  }

  /// Writes pixels of image i of the gradient of x.
  void put(const ImagesToWrite<T>& to_x, int64_t i, Pixels pixels, const T* source,
           const ConvNormBackwardWorkspace<T>& w) const {
    const Geometry& g = plan_.geometry;
    const int32_t* const from = (plan_.has_tile() ? g.in_read : g.flat).data() + pixels.first;
    T* const to = to_x.place(i) + pixels.first * plan_.c_in;
    if (plan_.relu_before) {
      plan_.in_lanes.rectify_gradient(source, w.to.get(), from, to, pixels.n(), plan_.c_in);
    } else {
      std::fill_n(to, pixels.n() * plan_.c_in, T(0));
      plan_.in_lanes.add_from(w.to.get(), from, to, pixels.n(), plan_.c_in);
    }
    to_x.put(i, pixels);
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
  const int64_t c_;
  const ConvNormOptions& options_;
  ConvNormNeeds needs_;
  const at::Tensor gradient_, x_, out_, kept_;
  const at::TensorList weights_, affine_;
  const T* const mean_;  // mean and 1/deviation, [2, c]
  const int64_t size_;   // numbers of an image of the tensor that is normalised
  Workspaces<ConvNormPlan<T>, ConvNormBackwardWorkspace<T>> workspaces_;
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
    return ConvNormBackwardPass<scalar_t>(g, x, out, weights, affine, kept, moments, options, needs)
        .run();
  });
}

}  // namespace retia::kernels::cpu
