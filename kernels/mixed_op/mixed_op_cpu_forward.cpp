#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <optional>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_prefetch.h"
#include "retia/kernels/mixed_op/mixed_op_stage.h"
#include "retia/kernels/parallel.h"
#include "retia/kernels/stencil/groups.h"
#include "retia/kernels/stencil/norm.h"

namespace retia::kernels::cpu {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

/// The forward pass: three sweeps over the images, with the numbers that one hands on to the next.
template <class T>
class MixedOpForwardPass {
 public:
  MixedOpForwardPass(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                     at::TensorList running, at::TensorList sums, const MixedOpOptions& options)
      : plan_(x, weights, options, Way::Forward),
        c_(plan_.c),
        n_stages_(static_cast<int64_t>(plan_.stages.size())),
        options_(options),
        x_(x),
        blend_(blend.contiguous()),
        running_(running),
        onto_(plan_.edges.size()),
        size_(plan_.first.n_out_whole * c_),
        kept_(at::empty({plan_.n_kept, plan_.n, size_}, x.options().memory_format({}))),
        pools_(at::empty({plan_.n_pools, plan_.n, size_}, x.options().memory_format({}))),
        moments_(at::zeros({n_stages_, 2, c_}, x.options().memory_format({}))),
        batch_(batch_tensor(options.training, n_norms(plan_), plan_.channels)),
        convolved_{kept_.mutable_data_ptr<T>(), plan_.n, size_},
        pooled_{pools_.mutable_data_ptr<T>(), plan_.n, size_},
        image_moments_(plan_.n * n_stages_ * 3 * c_),
        workspaces_(plan_) {
    for (size_t i = 0; i < sums.size(); ++i) {
      onto_[static_cast<size_t>(options.summed[i])] = sums[i].contiguous(kChannelsLast);
    }
  }

  MixedOpsForward run() {
    for (const bool on_x : {true, false}) {
      run_stages(on_x);
      finish_moments(on_x);
    }
    std::vector<at::Tensor> results;
    for (size_t e = 0; e < plan_.edges.size(); ++e) {
      results.push_back(blended(plan_.edges[e], onto_[e]));
    }
    return {std::move(results), kept_, moments_, batch_};
  }

 private:
  static int64_t n_norms(const MixedOpPlan<T>& plan) {
    return plan.edges.back().norm + plan.edges.back().n_norms;
  }

  T* mean_of(int64_t s) const { return moments_.mutable_data_ptr<T>() + 2 * s * c_; }

  int64_t source_of(int64_t s) const { return plan_.stages[static_cast<size_t>(s)].source; }

  T* output(int64_t s, int64_t image) const {
    const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
    return (stage.is_pool() ? pooled_ : convolved_)(stage.place, image);
  }

  /// Runs the stages that read x, or the stages that read stages. A task is an image, or a group of
  /// the stages of an image where there are few images for the threads.
  void run_stages(bool on_x) {
    const std::vector<int64_t> all = plan_.stages_on(on_x);
    if (!on_x && all.empty()) {
      return;
    }
    const auto groups = groups_of(all, groups_for_threads(plan_.n));
    const auto n_groups = static_cast<int64_t>(groups.size());
    parallel_for(plan_.n * n_groups, [&](Tasks& tasks) {
      const Workspace<T>& w = workspaces_.mine();
      const Images<T> images(x_, c_);
      for (const int64_t task : tasks) {
        const int64_t i = task / n_groups;
        const std::vector<int64_t>& stages = groups[static_cast<size_t>(task % n_groups)];
        const auto add_next = [&](Prefetch<T>& prefetch, size_t k, int64_t next) {
          add_array<T>(prefetch, output(stages[k], next));
          if (!on_x) {
            add_array(prefetch, output(source_of(stages[k]), next));
          } else if (k == 0) {
            add_array(prefetch, x_.const_data_ptr<T>() + next * x_.stride(0));
          }
        };
        if (on_x) {
          const T* const image = images.image(i);
          fill_rectified(plan_, image, w);
          fill_for_pools(plan_, stages, image, w);
        }
        for (size_t k = 0; k < stages.size(); ++k) {
          const int64_t s = stages[k];
          if (!on_x) {
            fill_second(plan_, output(source_of(s), i), mean_of(source_of(s)), w);
          }
          run_stage(plan_, plan_.stages[static_cast<size_t>(s)],
                    on_x ? w.rectified.get() : w.second.get(), output(s, i),
                    image_moments_ + (i * n_stages_ + s) * 3 * c_,
                    prefetch_after<T>(plan_, stages, k, i, add_next), w);
          // Loops over whole groups of pixels wrote beyond the last pixel.
          std::fill(output(s, i) + plan_.first.n_out * c_, output(s, i) + size_, T(0));
        }
      }
    });
  }

  /// Sets mean and 1/deviation of the stages that read x, or of the stages that read stages, and
  /// while training the moments of the batch.
  void finish_moments(bool on_x) {
    const std::vector<int64_t> found = plan_.stages_on(on_x);
    if (!options_.training) {
      for (const int64_t s : found) {
        const int64_t norm = norms_of(s).front();
        normalise_by_running(mean_of(s), running_of(norm, 0), running_of(norm, 1), options_.epsilon,
                             c_);
      }
      return;
    }
    std::vector<BatchMoments<T>> batches(found.size());
    const auto n_found = static_cast<int64_t>(found.size());
    parallel_where_worth(n_found, plan_.n * n_found * 3 * c_, [&](int64_t i) {
      const int64_t s = found[static_cast<size_t>(i)];
      BatchMoments<T> batch(c_);
      for (int64_t image = 0; image < plan_.n; ++image) {
        batch.add(image_moments_ + (image * n_stages_ + s) * 3 * c_,
                  plan_.stages[static_cast<size_t>(s)].geometry->n_out, c_);
      }
      batches[static_cast<size_t>(i)] = std::move(batch);
    });
    if (options_.ranks != nullptr) {
      join_over_ranks(batches, c_, *options_.ranks);
    }
    for (size_t i = 0; i < found.size(); ++i) {
      normalise_by_batch(mean_of(found[i]), batches[i], options_.epsilon, c_);
      for (const int64_t norm : norms_of(found[i])) {
        write_batch(batch_.mutable_data_ptr<double>() + norm * 3 * plan_.channels, batches[i],
                    plan_.channels);
      }
    }
  }

  const std::vector<int64_t>& norms_of(int64_t s) const {
    return plan_.stages[static_cast<size_t>(s)].norms;
  }

  const at::Tensor& running_of(int64_t norm, int64_t which) const {
    return running_[static_cast<size_t>(2 * norm + which)];
  }

  /// Returns the sum of the branches' results times their factors, plus `onto` if defined. Factors
  /// include the normalisations.
  at::Tensor blended(const MixedEdge& edge, const at::Tensor& onto) const {
    const at::Tensor out =
        at::empty({plan_.n, plan_.channels, plan_.first.out.height, plan_.first.out.width},
                  x_.options().memory_format(kChannelsLast));
    const int64_t n_branches = edge.n_branches;
    const int64_t n_terms = n_branches + (onto.defined() ? 1 : 0);
    const Numbers<T> scale(n_terms * c_);
    const Numbers<T> shift(c_);
    const T* const factor = blend_.const_data_ptr<T>() + edge.branch;
    std::fill_n(scale.get(), n_terms * c_, T(1));
    for (int64_t b = 0; b < n_branches; ++b) {
      const int64_t s = plan_.last_stage[static_cast<size_t>(edge.branch + b)];
      const T* const mean = s < 0 ? nullptr : mean_of(s);
      for (int64_t k = 0; k < c_; ++k) {
        scale[b * c_ + k] = factor[b] * (s < 0 ? T(1) : mean[c_ + k]);
        shift[k] -= s < 0 ? T(0) : scale[b * c_ + k] * mean[k];
      }
    }
    parallel_for(plan_.n, [&](Tasks& tasks) {
      const Images<T> images(x_, c_);
      std::optional<Images<T>> sums;
      if (onto.defined()) {
        sums.emplace(onto, c_);
      }
      const ImagesToWrite<T> results(out, c_);
      std::vector<const T*> terms(static_cast<size_t>(n_terms));
      for (const int64_t i : tasks) {
        for (int64_t b = 0; b < n_branches; ++b) {
          const int64_t s = plan_.last_stage[static_cast<size_t>(edge.branch + b)];
          terms[static_cast<size_t>(b)] = s < 0 ? images.image(i) : output(s, i);
        }
        if (sums) {
          terms.back() = sums->image(i);
        }
        plan_.lanes.blend(terms.data(), scale.get(), n_terms, shift.get(), results.place(i),
                          plan_.first.n_out, c_);
        results.put(i);
      }
    });
    return out;
  }

  const MixedOpPlan<T> plan_;
  const int64_t c_, n_stages_;
  const MixedOpOptions& options_;
  const at::Tensor x_, blend_;
  const at::TensorList running_;
  std::vector<at::Tensor> onto_;  // of each edge, or undefined
  const int64_t size_;            // of an image of what is made
  const at::Tensor kept_, pools_, moments_, batch_;
  const Outputs<T> convolved_, pooled_;
  const Numbers<T> image_moments_;  // [n, stages, 3, c]
  Workspaces<MixedOpPlan<T>, Workspace<T>> workspaces_;
};

}  // namespace

MixedOpsForward mixed_ops_forward(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options) {
  const at::Tensor read = x.contiguous(kChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_ops_forward", [&] {
    return MixedOpForwardPass<scalar_t>(read, blend, weights, running, sums, options).run();
  });
}

}  // namespace retia::kernels::cpu
