#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "kernels/mixed_op/mixed_op.h"
#include "kernels/mixed_op/mixed_op_plan.h"

namespace retia::kernels::cpu {
namespace {

/// Pixels whose depthwise results stay in the first cache until their product is done.
constexpr int64_t kBlock = 64;

/// Images are summed in this many runs, whatever the number of threads, so that the sums have the
/// same bits.
constexpr int64_t kRuns = 16;

Table steps_of(int64_t step) {
  Table table;
  for (int64_t i = 0; i < kBlock; ++i) {
    table.push_back(static_cast<int32_t>(i * step));
  }
  return table;
}

/// The images of a channels_last tensor with the channels filled up to whole vectors.
template <class T>
class Images {
 public:
  Images(const at::Tensor& tensor, int64_t c)
      : data_(tensor.const_data_ptr<T>()),
        channels_(tensor.size(1)),
        pixels_(tensor.size(2) * tensor.size(3)),
        c_(c),
        filled_(channels_ == c ? 0 : pixels_ * c) {}

  /// Valid until the next call.
  const T* image(int64_t i) const {
    const T* const from = data_ + i * pixels_ * channels_;
    if (channels_ == c_) {
      return from;
    }
    for (int64_t p = 0; p < pixels_; ++p) {
      std::copy_n(from + p * channels_, channels_, filled_ + p * c_);
    }
    return filled_.get();
  }

 private:
  const T* data_;
  int64_t channels_, pixels_, c_;
  Numbers<T> filled_;
};

/// The other way round: image i is written into a place and then put.
template <class T>
class ImagesToWrite {
 public:
  ImagesToWrite(const at::Tensor& tensor, int64_t c)
      : data_(tensor.mutable_data_ptr<T>()),
        channels_(tensor.size(1)),
        pixels_(tensor.size(2) * tensor.size(3)),
        c_(c),
        filled_(channels_ == c ? 0 : pixels_ * c) {}

  T* place(int64_t i) const { return channels_ == c_ ? data_ + i * pixels_ * c_ : filled_.get(); }
  void put(int64_t i) const {
    if (channels_ != c_) {
      for (int64_t p = 0; p < pixels_; ++p) {
        std::copy_n(filled_ + p * c_, channels_, data_ + (i * pixels_ + p) * channels_);
      }
    }
  }

 private:
  T* data_;
  int64_t channels_, pixels_, c_;
  Numbers<T> filled_;
};

/// What one thread works in.
template <class T>
struct Workplace {
  explicit Workplace(const Plan<T>& plan)
      : ones(plan.c),
        zeros(plan.c),
        depthwise(kBlock * 2 * plan.c),
        wide(steps_of(2 * plan.c)),
        rectified(plan.first.in.size()),
        lowest(plan.first.in.size()),
        bordered(plan.first.in.size()),
        second(plan.second.in.size()),
        shares(plan.first.n_out_whole) {
    std::fill_n(ones.get(), plan.c, T(1));
    std::fill_n(lowest.get(), plan.first.in.size(), -std::numeric_limits<T>::infinity());
    const Tile& in = plan.first.in;
    for (int64_t p = 0; p < plan.first.n_out; ++p) {
      const int64_t y = p / plan.first.out.width * plan.first.stride;
      const int64_t x = p % plan.first.out.width * plan.first.stride;
      const int64_t rows = std::min(y + 2, in.height) - std::max<int64_t>(y - 1, 0);
      const int64_t columns = std::min(x + 2, in.width) - std::max<int64_t>(x - 1, 0);
      shares[p] = T(1) / static_cast<T>(rows * columns);
    }
  }

  Numbers<T> ones, zeros;
  Numbers<T> depthwise;  ///< of a block
  Table wide;            ///< of a block of pixels of 2c numbers
  Numbers<T> rectified;  ///< relu(x)
  Numbers<T> lowest;     ///< x, with a border that no maximum takes
  Numbers<T> bordered;   ///< x
  Numbers<T> second;     ///< relu of the normalised first stage
  Numbers<T> shares;     ///< one by the number of pixels under an average
};

/// One for each thread that comes to work, kept from sweep to sweep.
template <class T, class Place>
class Workplaces {
 public:
  explicit Workplaces(const Plan<T>& plan)
      : plan_(plan), places_(static_cast<size_t>(at::get_num_threads())) {}

  const Place& mine() {
    std::unique_ptr<Place>& place = places_.at(static_cast<size_t>(at::get_thread_num()));
    if (!place) {
      place = std::make_unique<Place>(plan_);
    }
    return *place;
  }

 private:
  const Plan<T>& plan_;
  std::vector<std::unique_ptr<Place>> places_;
};

/// Brings x into the tile that the convolutions read.
template <class T>
void fill_rectified(const Plan<T>& plan, const T* x, const Workplace<T>& w) {
  plan.lanes.rectify(x, w.ones.get(), w.zeros.get(), w.rectified.get(), plan.first.in_write.data(),
                     plan.first.n_in, plan.c);
}

/// Brings x into the tiles that the pools read.
template <class T>
void fill_for_pools(const Plan<T>& plan, const T* x, const Workplace<T>& w) {
  for (const Stage<T>& stage : plan.stages) {
    if (stage.is_pool()) {
      const bool largest = stage.kind == StageKind::MaxPool;
      plan.lanes.copy(x, largest ? w.lowest.get() : w.bordered.get(), plan.first.in_write.data(),
                      plan.first.n_in, plan.c);
    }
  }
}

/// The stencil of `n` pixels from `p` on, into w.depthwise.
template <class T>
void run_stencil(const Plan<T>& plan, const Stage<T>& stage, const T* tile, int64_t p, int64_t n,
                 const Workplace<T>& w) {
  const Geometry& g = *stage.geometry;
  const int32_t* const from = g.centres.data() + p;
  if (stage.kind == StageKind::Halving) {
    for (const int64_t odd : {0, 1}) {
      const auto shift = static_cast<int32_t>(odd * (g.in.row() + plan.c));
      plan.lanes.stencil(tile, from, &shift, 1, stage.stencil.get(), w.depthwise + odd * plan.c,
                         w.wide.data(), n, plan.c);
    }
  } else {
    plan.lanes.stencil(tile, from, stage.taps.data(), static_cast<int64_t>(stage.taps.size()),
                       stage.stencil.get(), w.depthwise.get(), g.flat.data(), n, plan.c);
  }
}

/// places: takes those of maxima, unless null.
template <class T>
void run_pool(const Plan<T>& plan, const Stage<T>& stage, T* y, T* places, const Workplace<T>& w) {
  const Geometry& g = plan.first;
  const int32_t* const from = g.centres.data();
  const int32_t* const taps = stage.taps.data();
  if (stage.kind == StageKind::AveragePool) {
    plan.lanes.stencil(w.bordered.get(), from, taps, kPoolTaps, stage.stencil.get(), y,
                       g.flat.data(), g.n_out, plan.c);
    plan.lanes.scale(y, w.shares.get(), y, g.flat.data(), g.n_out, plan.c);
  } else if (places == nullptr) {
    plan.lanes.maximum(w.lowest.get(), from, taps, y, g.n_out, plan.c);
  } else {
    plan.lanes.maximum_and_places(w.lowest.get(), from, taps, y, places, g.n_out, plan.c);
  }
}

/// A stage of one image: y is its output before normalisation; moments: centre, sum and sum of
/// squares about the centre, [3, c].
template <class T>
void run_stage(const Plan<T>& plan, const Stage<T>& stage, const T* tile, T* y, T* moments,
               const Workplace<T>& w) {
  const Geometry& g = *stage.geometry;
  const int64_t c = plan.c;
  if (stage.is_pool()) {
    run_pool(plan, stage, y, static_cast<T*>(nullptr), w);
  }
  for (int64_t p = 0; p < g.n_out; p += kBlock) {
    const int64_t n = std::min(kBlock, g.n_out - p);
    if (!stage.is_pool()) {
      run_stencil(plan, stage, tile, p, n, w);
      plan.lanes.product(w.depthwise.get(), stage.in(), stage.product.get(), c, y + p * c,
                         g.flat.data(), n);
    }
    if (p == 0) {
      std::copy_n(y, c, moments);
    }
    plan.lanes.add_moments(y + p * c, moments, n, c, moments + c, moments + 2 * c);
  }
}

/// Mean and unbiased variance of a stage from the moments of its images, [n, 3, c] at `step`.
template <class T>
struct BatchMoments {
  BatchMoments(const Plan<T>& plan, const T* moments, int64_t step, int64_t pixels)
      : mean(plan.c), square(plan.c) {
    for (int64_t i = 0; i < plan.n; ++i) {
      const T* const image = moments + i * step;
      const double before = static_cast<double>(i * pixels);
      const auto now = static_cast<double>(pixels);
      for (int64_t k = 0; k < plan.c; ++k) {
        const double sum = image[plan.c + k];
        const double distance = image[k] + sum / now - mean[k];
        square[k] += image[2 * plan.c + k] - sum * sum / now +
                     distance * distance * before * now / (before + now);
        mean[k] += distance * now / (before + now);
      }
    }
    count = static_cast<double>(plan.n * pixels);
  }
  Numbers<double> mean, square;
  double count = 0;
};

/// Mean and 1/deviation [2, c] of each stage from the batch, and the running statistics after it.
template <class T>
void finish_moments(const Plan<T>& plan, const T* images, at::TensorList running,
                    const MixedOpOptions& options, bool on_x, T* moments) {
  const auto n_stages = static_cast<int64_t>(plan.stages.size());
  for (int64_t s = 0; s < n_stages; ++s) {
    const Stage<T>& stage = plan.stages[static_cast<size_t>(s)];
    if ((stage.source < 0) != on_x) {
      continue;
    }
    T* const mean = moments + 2 * s * plan.c;
    T* const scale = mean + plan.c;
    T* const running_mean =
        running.empty() ? nullptr : running[static_cast<size_t>(2 * s)].mutable_data_ptr<T>();
    T* const running_var =
        running.empty() ? nullptr : running[static_cast<size_t>(2 * s + 1)].mutable_data_ptr<T>();
    if (!options.training) {
      for (int64_t k = 0; k < plan.channels; ++k) {
        mean[k] = running_mean[k];
        scale[k] = static_cast<T>(1 / std::sqrt(double{running_var[k]} + options.epsilon));
      }
      continue;
    }
    const BatchMoments<T> batch(plan, images + s * 3 * plan.c, n_stages * 3 * plan.c,
                                stage.geometry->n_out);
    for (int64_t k = 0; k < plan.c; ++k) {
      mean[k] = static_cast<T>(batch.mean[k]);
      scale[k] = static_cast<T>(1 / std::sqrt(batch.square[k] / batch.count + options.epsilon));
    }
    if (running_mean != nullptr) {
      const double m = options.momentum;
      for (int64_t k = 0; k < plan.channels; ++k) {
        running_mean[k] = static_cast<T>((1 - m) * running_mean[k] + m * batch.mean[k]);
        running_var[k] =
            static_cast<T>((1 - m) * running_var[k] + m * batch.square[k] / (batch.count - 1));
      }
    }
  }
}

/// Numbers of the outputs that are kept, or of the pools: [stages, n, pixels, c].
template <class T>
struct Outputs {
  T* data;
  int64_t n, size;
  T* operator()(int64_t place, int64_t image) const { return data + (place * n + image) * size; }
};

template <class T>
std::tuple<at::Tensor, at::Tensor, at::Tensor> forward(const at::Tensor& x, const at::Tensor& blend,
                                                       at::TensorList weights,
                                                       at::TensorList running,
                                                       const MixedOpOptions& options) {
  const Plan<T> plan(x, weights, options, Direction::Forward);
  const int64_t c = plan.c;
  const auto n_stages = static_cast<int64_t>(plan.stages.size());
  const int64_t size = plan.first.n_out_whole * c;
  const at::Tensor kept = at::empty({plan.n_kept, plan.n, size}, x.options().memory_format({}));
  const at::Tensor pools = at::empty({plan.n_pools, plan.n, size}, x.options().memory_format({}));
  const at::Tensor moments = at::zeros({n_stages, 2, c}, x.options().memory_format({}));
  const at::Tensor out =
      at::empty({plan.n, plan.channels, plan.first.out.height, plan.first.out.width},
                x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const Outputs<T> convolved{kept.mutable_data_ptr<T>(), plan.n, size};
  const Outputs<T> pooled{pools.mutable_data_ptr<T>(), plan.n, size};
  T* const moment = moments.mutable_data_ptr<T>();
  const Numbers<T> image_moments(plan.n * n_stages * 3 * c);

  const auto output = [&](int64_t s, int64_t image) {
    const Stage<T>& stage = plan.stages[static_cast<size_t>(s)];
    return (stage.is_pool() ? pooled : convolved)(stage.place, image);
  };

  Workplaces<T, Workplace<T>> workplaces(plan);
  for (const bool on_x : {true, false}) {
    at::parallel_for(0, plan.n, 1, [&](int64_t i, int64_t end) {
      const Workplace<T>& w = workplaces.mine();
      const Images<T> images(x, c);
      for (; i < end; ++i) {
        if (on_x) {
          const T* const image = images.image(i);
          fill_rectified(plan, image, w);
          fill_for_pools(plan, image, w);
        }
        for (int64_t s = 0; s < n_stages; ++s) {
          const Stage<T>& stage = plan.stages[static_cast<size_t>(s)];
          if ((stage.source < 0) != on_x) {
            continue;
          }
          if (!on_x) {
            const T* const mean = moment + 2 * stage.source * c;
            const Numbers<T> shift(c);
            for (int64_t k = 0; k < c; ++k) {
              shift[k] = -mean[k] * mean[c + k];
            }
            plan.lanes.rectify(output(stage.source, i), mean + c, shift.get(), w.second.get(),
                               plan.second.in_write.data(), plan.second.n_in, c);
          }
          run_stage(plan, stage, on_x ? w.rectified.get() : w.second.get(), output(s, i),
                    image_moments + (i * n_stages + s) * 3 * c, w);
        }
      }
    });
    finish_moments(plan, image_moments.get(), running, options, on_x, moment);
  }

  const auto n_branches = static_cast<int64_t>(plan.last_stage.size());
  const Numbers<T> scale(n_branches * c);
  const Numbers<T> shift(c);
  const at::Tensor factors = blend.contiguous();
  const T* const factor = factors.const_data_ptr<T>();
  for (int64_t b = 0; b < n_branches; ++b) {
    const int64_t s = plan.last_stage[static_cast<size_t>(b)];
    for (int64_t k = 0; k < c; ++k) {
      scale[b * c + k] = factor[b] * (s < 0 ? T(1) : moment[(2 * s + 1) * c + k]);
      shift[k] -= s < 0 ? T(0) : scale[b * c + k] * moment[2 * s * c + k];
    }
  }
  at::parallel_for(0, plan.n, 1, [&](int64_t i, int64_t end) {
    const Images<T> images(x, c);
    const ImagesToWrite<T> results(out, c);
    std::vector<const T*> blended(static_cast<size_t>(n_branches));
    for (; i < end; ++i) {
      for (size_t b = 0; b < blended.size(); ++b) {
        const int64_t s = plan.last_stage[b];
        blended[b] = s < 0 ? images.image(i) : output(s, i);
      }
      plan.lanes.blend(blended.data(), scale.get(), n_branches, shift.get(), results.place(i),
                       plan.first.n_out, c);
      results.put(i);
    }
  });
  return {out, kept, moments};
}

/// The gradient before a normalisation from the one behind it: a · g + b · y + shift, [3, c].
template <class T>
struct Backward {
  /// sums: Σ g and Σ g · (y - mean) over `count` numbers; factor: what the normalised is taken by.
  static void coefficients(T* to, const T* mean, const double* sums, T factor, double count,
                           const MixedOpOptions& options, int64_t c) {
    for (int64_t k = 0; k < c; ++k) {
      const double scale = mean[c + k];
      const double a = factor * scale;
      const double b = options.training ? -a * scale * scale * sums[c + k] / count : 0.0;
      to[k] = static_cast<T>(a);
      to[c + k] = static_cast<T>(b);
      to[2 * c + k] = static_cast<T>(options.training ? -a * sums[k] / count - b * mean[k] : 0.0);
    }
  }
};

/// What a thread of the backward pass works in beside.
template <class T>
struct BackwardWorkplace : Workplace<T> {
  explicit BackwardWorkplace(const Plan<T>& plan)
      : Workplace<T>(plan),
        before(std::max(kBlock * 2, plan.first.n_out_whole) * plan.c),
        product(kBlock * 2 * plan.c),
        first_out(plan.first.out.size()),
        second_out(plan.second.out.size()),
        first_in(plan.first.in.size()),
        pools_in(plan.first.in.size()),
        second_in(plan.second.in.size()) {}

  Numbers<T> before;                         ///< gradient before the normalisation
  Numbers<T> product;                        ///< gradient before the product, of a block
  Numbers<T> first_out, second_out;          ///< gradient before the product, bordered
  Numbers<T> first_in, pools_in, second_in;  ///< gradient of what the stages read
};

/// Sums of one run of images that become gradients of weights.
template <class T>
struct WeightSums {
  T* stencil = nullptr;  ///< [taps, c]
  T* product = nullptr;  ///< [c, in]
};

/// Adds one image's gradient of what a convolution or halving reads to `to` (unless null), and of
/// its weights to `sums` (likewise). g is the gradient behind the normalisation.
template <class T>
void stage_gradient(const Plan<T>& plan, const Stage<T>& stage, const T* tile, const T* g,
                    const T* coefficients, const T* y, const WeightSums<T>& sums, T* to,
                    const BackwardWorkplace<T>& w) {
  const Geometry& geometry = *stage.geometry;
  const int64_t c = plan.c;
  const bool halving = stage.kind == StageKind::Halving;
  T* const bordered = stage.source < 0 ? w.first_out.get() : w.second_out.get();
  for (int64_t p = 0; p < geometry.n_out; p += kBlock) {
    const int64_t n = std::min(kBlock, geometry.n_out - p);
    plan.lanes.affine(g + p * c, coefficients, y + p * c, coefficients + c, coefficients + 2 * c,
                      w.before.get(), n, c);
    if (sums.product != nullptr) {
      run_stencil(plan, stage, tile, p, n, w);
      plan.lanes.add_outer(w.before.get(), c, w.depthwise.get(), stage.in(), n, sums.product);
    }
    if (!halving) {
      plan.lanes.product(w.before.get(), c, stage.product.get(), c, bordered,
                         geometry.out_write.data() + p, n);
    } else if (to != nullptr) {
      plan.lanes.product(w.before.get(), c, stage.product.get(), 2 * c, w.product.get(),
                         w.wide.data(), n);
      for (const int64_t odd : {0, 1}) {
        plan.lanes.add_to(w.product + odd * c, 2 * c, to + odd * (geometry.in.row() + c),
                          geometry.centres.data() + p, n, c);
      }
    }
  }
  if (halving) {
    return;
  }
  if (sums.stencil != nullptr) {
    const int64_t reach = stage.kernel / 2 * stage.dilation;
    plan.lanes.add_stencil_weights(tile - reach * (geometry.in.row() + c), geometry.centres.data(),
                                   stage.dilation * geometry.in.row(), stage.dilation * c, bordered,
                                   geometry.out_read.data(), geometry.n_out, c, stage.kernel,
                                   sums.stencil);
  }
  if (to != nullptr) {
    for (size_t i = 0; i < geometry.phases.size(); ++i) {
      const Phase& phase = geometry.phases[i];
      const PhaseTaps<T>& through = stage.through[i];
      if (!through.taps.empty()) {
        plan.lanes.add_stencil(bordered, phase.from.data(), through.taps.data(),
                               static_cast<int64_t>(through.taps.size()), through.weights.get(), to,
                               phase.to.data(), phase.n, c);
      }
    }
  }
}

/// Adds one image's gradient of x through a pool to w.pools_in; y and places are what run_pool
/// made.
template <class T>
void pool_gradient(const Plan<T>& plan, const Stage<T>& stage, const T* g, const T* coefficients,
                   const T* y, const T* places, const BackwardWorkplace<T>& w) {
  const Geometry& geometry = plan.first;
  const int64_t c = plan.c;
  plan.lanes.affine(g, coefficients, y, coefficients + c, coefficients + 2 * c, w.before.get(),
                    geometry.n_out, c);
  if (stage.kind == StageKind::MaxPool) {
    plan.lanes.add_at_places(w.before.get(), places, geometry.centres.data(), stage.taps.data(),
                             w.pools_in.get(), geometry.n_out, c);
    return;
  }
  plan.lanes.scale(w.before.get(), w.shares.get(), w.first_out.get(), geometry.out_write.data(),
                   geometry.n_out, c);
  for (size_t i = 0; i < geometry.phases.size(); ++i) {
    const Phase& phase = geometry.phases[i];
    const PhaseTaps<T>& through = stage.through[i];
    plan.lanes.add_stencil(w.first_out.get(), phase.from.data(), through.taps.data(),
                           static_cast<int64_t>(through.taps.size()), through.weights.get(),
                           w.pools_in.get(), phase.to.data(), phase.n, c);
  }
}

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
        pools_(Numbers<T>::unset(2 * plan_.n_pools * plan_.n * size_)),
        pooled_{pools_.get(), plan_.n, size_},
        maxima_{pools_ + plan_.n_pools * plan_.n * size_, plan_.n, size_},
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

  /// The gradient of blend; sets the coefficients of each branch's last stage.
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
          const Stage<T>* const stage = s < 0 ? nullptr : &plan_.stages[static_cast<size_t>(s)];
          const T* y = x;
          if (stage != nullptr && stage->is_pool()) {
            run_pool(plan_, *stage, pooled_(stage->place, i), maxima_(stage->place, i), w);
            y = pooled_(stage->place, i);
          } else if (stage != nullptr) {
            y = outputs_(stage->place, i);
          }
          T* const sum = sums + (i * n_branches + b) * 2 * c_;
          plan_.lanes.add_correlation(g, y, s < 0 ? w.zeros.get() : mean_of(s), plan_.first.n_out,
                                      c_, sum, sum + c_);
        }
      }
    });
    const at::Tensor result = at::zeros({n_branches}, blend_.options());
    const auto count = static_cast<double>(plan_.n * plan_.first.n_out);
    for (int64_t b = 0; b < n_branches; ++b) {
      const int64_t s = plan_.last_stage[static_cast<size_t>(b)];
      const Numbers<double> both = total(sums, b, n_branches);
      double of_blend = 0;
      for (int64_t k = 0; k < plan_.channels; ++k) {
        of_blend += both[c_ + k] * (s < 0 ? 1.0 : double{mean_of(s)[c_ + k]});
      }
      result.mutable_data_ptr<T>()[b] = static_cast<T>(of_blend);
      if (s >= 0) {
        Backward<T>::coefficients(coefficients_of(s), mean_of(s), both.get(),
                                  blend_.const_data_ptr<T>()[b], count, options_, c_);
      }
    }
    return result;
  }

  /// The stages that read a stage: gradients of their weights and of what they read.
  void second_stages() {
    for (int64_t s = 0; s < n_stages_; ++s) {
      const bool is_read = plan_.stages[static_cast<size_t>(s)].branch < 0;
      of_stage_.push_back(Numbers<T>::unset(is_read ? plan_.n * size_ : 0));
    }
    const Numbers<T> sums(plan_.n * n_stages_ * 2 * c_);
    for_runs([&](const BackwardWorkplace<T>& w, int64_t run, int64_t i, int64_t end) {
      const Images<T> gradients(gradient_, c_);
      const Numbers<T> shift(c_);
      for (; i < end; ++i) {
        const T* const g = gradients.image(i);
        for (int64_t s = 0; s < n_stages_; ++s) {
          const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
          if (stage.source < 0) {
            continue;
          }
          const Stage<T>& source = plan_.stages[static_cast<size_t>(stage.source)];
          const T* const mean = mean_of(stage.source);
          for (int64_t k = 0; k < c_; ++k) {
            shift[k] = -mean[k] * mean[c_ + k];
          }
          const T* const y = outputs_(source.place, i);
          plan_.lanes.rectify(y, mean + c_, shift.get(), w.second.get(),
                              plan_.second.in_write.data(), plan_.second.n_in, c_);
          std::fill_n(w.second_in.get(), plan_.second.in.size(), T(0));
          stage_gradient(plan_, stage, w.second.get(), g, coefficients_of(s),
                         outputs_(stage.place, i), sums_of(stage, run), w.second_in.get(), w);
          T* const to = of_stage_[static_cast<size_t>(stage.source)] + i * size_;
          plan_.lanes.rectify_gradient(w.second.get(), w.second_in.get(),
                                       plan_.second.in_read.data(), to, plan_.second.n_in, c_);
          T* const sum = sums + (i * n_stages_ + stage.source) * 2 * c_;
          plan_.lanes.add_correlation(to, y, mean, plan_.second.n_in, c_, sum, sum + c_);
        }
      }
    });
    const auto count = static_cast<double>(plan_.n * plan_.first.n_out);
    for (int64_t s = 0; s < n_stages_; ++s) {
      if (plan_.stages[static_cast<size_t>(s)].branch < 0) {
        Backward<T>::coefficients(coefficients_of(s), mean_of(s), total(sums, s, n_stages_).get(),
                                  T(1), count, options_, c_);
      }
    }
  }

  /// The stages that read x: gradients of their weights and of x, which is returned if needed.
  at::Tensor first_stages() {
    at::Tensor to_x;
    if (needs_.x) {
      to_x = at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    }
    for_runs([&](const BackwardWorkplace<T>& w, int64_t run, int64_t i, int64_t end) {
      const Images<T> gradients(gradient_, c_);
      const Images<T> images(x_, c_);
      for (; i < end; ++i) {
        const T* const g = gradients.image(i);
        fill_rectified(plan_, images.image(i), w);
        for (const Numbers<T>* const sum : {&w.first_in, &w.pools_in}) {
          std::fill_n(sum->get(), plan_.first.in.size(), T(0));
        }
        for (int64_t s = 0; s < n_stages_; ++s) {
          const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
          if (stage.source < 0 && stage.is_pool() && needs_.x) {
            pool_gradient(plan_, stage, g, coefficients_of(s), pooled_(stage.place, i),
                          maxima_(stage.place, i), w);
          } else if (stage.source < 0 && !stage.is_pool()) {
            const T* const behind =
                stage.branch >= 0 ? g : of_stage_[static_cast<size_t>(s)] + i * size_;
            stage_gradient(plan_, stage, w.rectified.get(), behind, coefficients_of(s),
                           outputs_(stage.place, i), sums_of(stage, run),
                           needs_.x ? w.first_in.get() : nullptr, w);
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
  const Numbers<T> pools_;  // results of the pools, and where their maxima are
  const Outputs<T> pooled_, maxima_;
  Workplaces<T, BackwardWorkplace<T>> workplaces_;
  const Numbers<T> coefficients_;     // [stages, 3, c]
  std::vector<Numbers<T>> of_stage_;  // gradients behind the normalisations of first stages
  const int64_t n_runs_;
  std::vector<int64_t> sums_at_;
  int64_t sums_size_ = 0;
  Numbers<T> weight_sums_;  // [runs, sums_size]
};

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor> mixed_op_forward(const at::Tensor& x,
                                                                const at::Tensor& blend,
                                                                at::TensorList weights,
                                                                at::TensorList running,
                                                                const MixedOpOptions& options) {
  check_mixed_op(x, blend, weights, running, options);
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_op_forward", [&] {
    return forward<scalar_t>(read, blend, weights, running, options);
  });
}

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
