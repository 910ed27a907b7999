#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

#include "retia/kernels/conv_norm/conv_norm_plan.h"
#include "retia/kernels/parallel.h"
#include "retia/kernels/stencil/norm.h"

namespace retia::kernels::cpu {
namespace {

constexpr int32_t kHere = 0;  // the one tap of a pointwise product

template <class T>
class ConvNormForwardPass {
 public:
  ConvNormForwardPass(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                      at::TensorList running, const ConvNormOptions& options)
      : plan_(x, weights, options, Way::Forward),
        c_(plan_.c_out),
        options_(options),
        x_(x),
        affine_(affine),
        running_(running),
        size_(plan_.geometry.n_out_whole * c_),
        kept_(plan_.kind == ConvKind::None
                  ? at::empty({0}, x.options().memory_format({}))
                  : at::empty({plan_.n, size_}, x.options().memory_format({}))),
        moments_(at::zeros({2, c_}, x.options().memory_format({}))),
        batch_(batch_tensor(options.training, 1, plan_.channels_out)),
        workspaces_(plan_) {}

  ConvNormForward run() {
    T* const mean = moments_.mutable_data_ptr<T>();
    const Numbers<T> moments(plan_.n * plan_.n_parts * 3 * c_);
    if (options_.training || plan_.kind != ConvKind::None) {
      convolve(moments);
    }
    if (options_.training) {
      std::vector<BatchMoments<T>> batch;
      batch.emplace_back(c_);
      for (int64_t part = 0; part < plan_.n * plan_.n_parts; ++part) {
        const int64_t of_image = part % plan_.n_parts;
        batch.front().add(moments + part * 3 * c_, plan_.outputs_of(of_image, of_image + 1).n(),
                          c_);
      }
      if (options_.ranks != nullptr) {
        join_over_ranks(batch, c_, *options_.ranks);
      }
      normalise_by_batch(mean, batch.front(), options_.epsilon, c_);
      write_batch(batch_.mutable_data_ptr<double>(), batch.front(), plan_.channels_out);
    } else {
      normalise_by_running(mean, running_[0], running_[1], options_.epsilon, c_);
    }
    return {normalised(), kept_, moments_, batch_};
  }

 private:
  /// Computes the tensor that is normalised, and the moments of each part of each image,
  /// [n, parts, 3, c].
  void convolve(const Numbers<T>& all_moments) {
    const Spans spans(plan_.n, plan_.n_parts);
    parallel_for(spans.n(), [&](Tasks& tasks) {
      const ConvNormWorkspace<T>& w = workspaces_.mine();
      const Images<T> images(x_, plan_.c_in);
      for (const int64_t task : tasks) {
        const Span span = spans[task];
        const Pixels outputs = plan_.outputs_of(span.first, span.end);
        const Pixels inputs = plan_.inputs_read_by(outputs);
        const T* const x = images.image(span.image, inputs);
        T* const moments = all_moments + span.image * plan_.n_parts * 3 * c_;
        if (plan_.kind == ConvKind::None) {
          for (int64_t part = span.first; part < span.end; ++part) {
            const Pixels own = plan_.outputs_of(part, part + 1);
            std::copy_n(x + own.first * c_, c_, moments + part * 3 * c_);
            add_moments(x + own.first * c_, own.n(), moments + part * 3 * c_);
          }
        } else {
          convolve_parts(fill_source(plan_, x, inputs, w), outputs,
                         kept_.mutable_data_ptr<T>() + span.image * size_, moments, w);
        }
      }
    });
  }

  /// Adds pixels of y to the moments of a part, whose centre is set.
  void add_moments(const T* y, int64_t n, T* moments) const {
    plan_.out_lanes.add_moments(y, moments, n, c_, moments + c_, moments + 2 * c_);
  }

  void convolve_parts(const T* source, Pixels outputs, T* y, T* moments,
                      const ConvNormWorkspace<T>& w) const {
    plan_.for_blocks(outputs, [&](int64_t part, int64_t p, int64_t n) {
      T* const to = y + p * c_;
      if (plan_.is_dense()) {
        plan_.out_lanes.product(source, plan_.centres().data() + p, plan_.taps.data(),
                                static_cast<int64_t>(plan_.taps.size()), plan_.c_in,
                                plan_.product.get(), c_, to, plan_.out_rows.data(), n, {});
      } else if (plan_.kind == ConvKind::Separable) {
        run_stencil(plan_, source, p, n, w.block.get(), w);
        plan_.out_lanes.product(w.block.get(), plan_.geometry.flat.data(), &kHere, 1, plan_.c_in,
                                plan_.product.get(), c_, to, plan_.out_rows.data(), n, {});
      } else {
        run_stencil(plan_, source, p, n, to, w);
      }
      T* const of_part = moments + part * 3 * c_;
      if (p == plan_.outputs_of(part, part + 1).first) {
        std::copy_n(to, c_, of_part);
      }
      add_moments(to, n, of_part);
    });
    if (outputs.end == plan_.geometry.n_out) {
      // Loops over whole groups of pixels wrote beyond the last pixel.
      std::fill(y + outputs.end * c_, y + size_, T(0));
    }
  }

  at::Tensor normalised() {
    const at::Tensor out = at::empty(
        {plan_.n, plan_.channels_out, plan_.geometry.out.height, plan_.geometry.out.width},
        x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    const Numbers<T> scale(c_), shift(c_);
    const T* const mean = moments_.const_data_ptr<T>();
    for (int64_t k = 0; k < plan_.channels_out; ++k) {
      scale[k] = mean[c_ + k] * (affine_.empty() ? T(1) : affine_[0].const_data_ptr<T>()[k]);
      shift[k] = (affine_.empty() ? T(0) : affine_[1].const_data_ptr<T>()[k]) - scale[k] * mean[k];
    }
    const Spans spans(plan_.n, plan_.n_parts);
    parallel_for(spans.n(), [&](Tasks& tasks) {
      const Images<T> images(x_, c_);
      const ImagesToWrite<T> results(out, c_);
      for (const int64_t task : tasks) {
        const Span span = spans[task];
        const Pixels own = plan_.outputs_of(span.first, span.end);
        const T* const y =
            (plan_.kind != ConvKind::None ? kept_.const_data_ptr<T>() + span.image * size_
                                          : images.image(span.image, own)) +
            own.first * c_;
        T* const to = results.place(span.image) + own.first * c_;
        if (options_.relu_after) {
          plan_.out_lanes.rectify(y, scale.get(), shift.get(), to, plan_.out_rows.data(), own.n(),
                                  c_);
        } else {
          plan_.out_lanes.blend(&y, scale.get(), 1, shift.get(), to, own.n(), c_);
        }
        results.put(span.image, own);
      }
    });
    return out;
  }

  const ConvNormPlan<T> plan_;
  const int64_t c_;
  const ConvNormOptions& options_;
  const at::Tensor x_;
  const at::TensorList affine_, running_;
  const int64_t size_;  // numbers of an image of the tensor that is normalised
  const at::Tensor kept_, moments_, batch_;
  Workspaces<ConvNormPlan<T>, ConvNormWorkspace<T>> workspaces_;
};

}  // namespace

ConvNormForward conv_norm_forward(const at::Tensor& x, at::TensorList weights,
                                  at::TensorList affine, at::TensorList running,
                                  const ConvNormOptions& options) {
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "conv_norm_forward", [&] {
    return ConvNormForwardPass<scalar_t>(read, weights, affine, running, options).run();
  });
}

}  // namespace retia::kernels::cpu
