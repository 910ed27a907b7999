#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_prefetch.h"
#include "retia/kernels/mixed_op/mixed_op_stage.h"
#include "retia/kernels/mixed_op/mixed_op_weight_sums.h"
#include "retia/kernels/parallel.h"
#include "retia/kernels/stencil/groups.h"
#include "retia/kernels/stencil/norm.h"

namespace retia::kernels::cpu {
namespace {

/// The backward pass: three sweeps over the images, with the numbers that one hands on to the next.
template <class T>
class MixedOpBackwardPass {
 public:
  MixedOpBackwardPass(const std::vector<at::Tensor>& gradients, const at::Tensor& x,
                      const at::Tensor& blend, at::TensorList weights, const at::Tensor& kept,
                      const at::Tensor& moments, const MixedOpOptions& options, MixedOpNeeds needs)
      : plan_(x, weights, options, Way::Backward),
        firsts_(plan_.stages_on(true)),
        c_(plan_.c),
        n_stages_(static_cast<int64_t>(plan_.stages.size())),
        options_(options),
        needs_(needs),
        gradients_(gradients),
        x_(x),
        blend_(blend.contiguous()),
        moments_(moments.const_data_ptr<T>()),
        size_(plan_.first.n_out_whole * c_),
        outputs_{const_cast<T*>(kept.const_data_ptr<T>()), plan_.n, size_},
        pools_(Numbers<T>::unset(plan_.n_pools * plan_.n * size_)),
        pooled_{pools_.get(), plan_.n, size_},
        workspaces_(plan_),
        n_runs_(std::min(kRuns, plan_.n)),
        weight_sums_(weights, n_runs_, c_) {
    for (const Stage<T>& stage : plan_.stages) {
      const auto n_branches = static_cast<int64_t>(stage.branches.size());
      coefficients_.emplace_back((std::max<int64_t>(n_branches, 1) + 2) * c_);
    }
  }

  MixedOpsGradients run() {
    at::Tensor to_blend = blend_gradient();
    at::Tensor to_x;
    if (needs_.weights) {
      weight_sums_.begin();
    }
    if (needs_.x || needs_.weights) {
      second_stages();
      to_x = first_stages();
    }
    return {to_x, to_blend, weight_sums_.gradients(plan_)};
  }

 private:
  const T* mean_of(int64_t s) const { return moments_ + 2 * s * c_; }
  T* coefficients_of(int64_t s) const { return coefficients_[static_cast<size_t>(s)].get(); }

  T factor_of(int64_t branch) const { return blend_.const_data_ptr<T>()[branch]; }
  size_t edge_of(int64_t branch) const {
    return static_cast<size_t>(plan_.edge_of[static_cast<size_t>(branch)]);
  }

  /// Returns the gradients of all edges' results, to be read image by image.
  std::vector<Images<T>> images_of_gradients() const {
    std::vector<Images<T>> images;
    for (const at::Tensor& gradient : gradients_) {
      images.emplace_back(gradient, c_);
    }
    return images;
  }

  /// Returns image i of each edge's gradient.
  static std::vector<const T*> image_of(const std::vector<Images<T>>& images, int64_t i) {
    std::vector<const T*> of_edges;
    for (const Images<T>& of_edge : images) {
      of_edges.push_back(of_edge.image(i));
    }
    return of_edges;
  }

  /// Calls body(workspace, group, run, first image, end) for each of n_groups groups of each run of
  /// images.
  template <class Body>
  void for_runs(int64_t n_groups, const Body& body) {
    parallel_for(n_runs_ * n_groups, [&](Tasks& tasks) {
      const BackwardWorkspace<T>& w = workspaces_.mine();
      for (const int64_t task : tasks) {
        const int64_t run = task / n_groups;
        body(w, task % n_groups, run, plan_.n * run / n_runs_, plan_.n * (run + 1) / n_runs_);
      }
    });
  }

  /// Returns Σ g and Σ g · (y - mean), [2, c], over all images, run by run.
  Numbers<double> total(const Numbers<T>& sums, int64_t place, int64_t n_places) const {
    Numbers<double> result(2 * c_);
    for (int64_t i = 0; i < plan_.n; ++i) {
      for (int64_t k = 0; k < 2 * c_; ++k) {
        result[k] += sums[(i * n_places + place) * 2 * c_ + k];
      }
    }
    return result;
  }

  /// Sets the coefficients of `stages` by the sums behind each of them. Where several branches end
  /// in a stage, their gradients count times their factors.
  void set_all_coefficients(const std::vector<int64_t>& stages,
                            const std::vector<Numbers<double>>& sums) {
    auto count = static_cast<double>(plan_.n * plan_.first.n_out);
    if (options_.training && options_.ranks != nullptr && !stages.empty()) {
      sum_over_ranks(sums, 2 * c_, count, *options_.ranks);
    }
    for (size_t i = 0; i < stages.size(); ++i) {
      const int64_t s = stages[i];
      const std::vector<int64_t>& branches = plan_.stages[static_cast<size_t>(s)].branches;
      const int64_t n_others = std::max<int64_t>(static_cast<int64_t>(branches.size()) - 1, 0);
      T* const to = coefficients_of(s);
      for (int64_t k = 0; k < c_; ++k) {
        set_coefficients(to + n_others * c_, mean_of(s), sums[i].get(), T(1), count,
                         options_.training, c_, k);
      }
      for (size_t b = 0; b < branches.size(); ++b) {
        for (int64_t k = 0; k < c_; ++k) {
          to[static_cast<int64_t>(b) * c_ + k] = factor_of(branches[b]) * mean_of(s)[c_ + k];
        }
      }
    }
  }

  /// Returns, for each of these stages, the edges whose gradients no earlier stage reads.
  std::vector<std::vector<size_t>> edges_first_read(const std::vector<int64_t>& stages) const {
    std::vector<std::vector<size_t>> of_stages;
    std::set<size_t> read;
    for (const int64_t s : stages) {
      std::vector<size_t>& edges = of_stages.emplace_back();
      for (const int64_t branch : plan_.stages[static_cast<size_t>(s)].branches) {
        if (read.insert(edge_of(branch)).second) {
          edges.push_back(edge_of(branch));
        }
      }
    }
    return of_stages;
  }

  void add_gradients(Prefetch<T>& prefetch, const std::vector<size_t>& edges, int64_t i) const {
    for (const size_t edge : edges) {
      add_array(prefetch, gradients_[edge].const_data_ptr<T>() + i * gradients_[edge].stride(0));
    }
  }

  /// Returns the arrays that forward saved of the branches of image i.
  Prefetch<T> kept_branches(int64_t i) const {
    Prefetch<T> kept = {};
    for (const int64_t s : plan_.last_stage) {
      if (s >= 0 && !plan_.stages[static_cast<size_t>(s)].is_pool()) {
        add_array<T>(kept, outputs_(plan_.stages[static_cast<size_t>(s)].place, i));
      }
    }
    return kept;
  }

  /// Returns the output of a stage for image i before normalisation.
  const T* output(int64_t s, int64_t i) const {
    const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
    return (stage.is_pool() ? pooled_ : outputs_)(stage.place, i);
  }

  /// Computes the pools of image i again.
  void make_pools(const T* x, int64_t i, const BackwardWorkspace<T>& w) const {
    fill_for_pools(plan_, firsts_, x, w);
    for (const Stage<T>& stage : plan_.stages) {
      if (stage.is_pool()) {
        run_pool(plan_, stage, pooled_(stage.place, i), kept_branches(i), w);
      }
    }
  }

  /// Returns the gradient of blend. Sets the coefficients of each branch's last stage where they
  /// are needed.
  at::Tensor blend_gradient() {
    const auto n_branches = static_cast<int64_t>(plan_.last_stage.size());
    const Numbers<T> sums(plan_.n * n_branches * 2 * c_);
    parallel_for(plan_.n, [&](Tasks& tasks) {
      const BackwardWorkspace<T>& w = workspaces_.mine();
      const std::vector<Images<T>> gradients = images_of_gradients();
      const Images<T> images(x_, c_);
      for (const int64_t i : tasks) {
        const std::vector<const T*> g = image_of(gradients, i);
        const T* const x = images.image(i);
        make_pools(x, i, w);
        for (int64_t b = 0; b < n_branches; ++b) {
          const int64_t s = plan_.last_stage[static_cast<size_t>(b)];
          T* const sum = sums + (i * n_branches + b) * 2 * c_;
          plan_.lanes.add_correlation(g[edge_of(b)], nullptr, s < 0 ? x : output(s, i),
                                      s < 0 ? w.zeros.get() : mean_of(s), plan_.first.n_out, c_,
                                      sum, sum + c_);
        }
      }
    });
    std::vector<Numbers<double>> totals(static_cast<size_t>(n_branches));
    parallel_where_worth(n_branches, plan_.n * n_branches * 2 * c_, [&](int64_t b) {
      totals[static_cast<size_t>(b)] = total(sums, b, n_branches);
    });
    const at::Tensor result = at::zeros({n_branches}, blend_.options());
    std::map<int64_t, Numbers<double>> behind_stages;
    for (int64_t b = 0; b < n_branches; ++b) {
      const int64_t s = plan_.last_stage[static_cast<size_t>(b)];
      const Numbers<double>& both = totals[static_cast<size_t>(b)];
      double of_blend = 0;
      for (int64_t k = 0; k < plan_.channels; ++k) {
        of_blend += both[c_ + k] * (s < 0 ? 1.0 : double{mean_of(s)[c_ + k]});
      }
      result.mutable_data_ptr<T>()[b] = static_cast<T>(of_blend);
      if (s >= 0) {
        const Numbers<double>& behind = behind_stages.try_emplace(s, 2 * c_).first->second;
        for (int64_t k = 0; k < 2 * c_; ++k) {
          behind[k] += factor_of(b) * both[k];
        }
      }
    }
    if (needs_.x || needs_.weights) {
      std::vector<int64_t> stages;
      std::vector<Numbers<double>> behind;
      for (const auto& [s, sum] : behind_stages) {
        stages.push_back(s);
        behind.push_back(sum);
      }
      set_all_coefficients(stages, behind);
    }
    return result;
  }

  /// Goes back through the stages that read a stage.
  void second_stages() {
    for (int64_t s = 0; s < n_stages_; ++s) {
      const bool is_read = plan_.stages[static_cast<size_t>(s)].branches.empty();
      of_stage_.push_back(Numbers<T>::unset(is_read ? plan_.n * size_ : 0));
    }
    const auto groups = groups_of(plan_.stages_on(false), groups_for_threads(n_runs_));
    const Numbers<T> sums(plan_.n * n_stages_ * 2 * c_);
    for_runs(static_cast<int64_t>(groups.size()), [&](const BackwardWorkspace<T>& w, int64_t group,
                                                      int64_t run, int64_t i, int64_t end) {
      const std::vector<int64_t>& seconds = groups[static_cast<size_t>(group)];
      const auto first_read = edges_first_read(seconds);
      const auto add_next = [&](Prefetch<T>& prefetch, size_t k, int64_t next) {
        const Stage<T>& stage = plan_.stages[static_cast<size_t>(seconds[k])];
        add_array<T>(prefetch, outputs_(stage.place, next));
        add_array<T>(prefetch, of_stage_[static_cast<size_t>(stage.source)] + next * size_);
        add_array<T>(prefetch,
                     outputs_(plan_.stages[static_cast<size_t>(stage.source)].place, next));
        add_gradients(prefetch, first_read[k], next);
      };
      for (const int64_t s : seconds) {
        weight_sums_.begin(plan_.stages[static_cast<size_t>(s)], run);
      }
      const std::vector<Images<T>> gradients = images_of_gradients();
      for (; i < end; ++i) {
        const std::vector<const T*> g = image_of(gradients, i);
        for (size_t k = 0; k < seconds.size(); ++k) {
          const int64_t s = seconds[k];
          const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
          const Stage<T>& source = plan_.stages[static_cast<size_t>(stage.source)];
          const T* const mean = mean_of(stage.source);
          const T* const y = outputs_(source.place, i);
          fill_second(plan_, y, mean, w);
          stage_gradient(plan_, stage, w.second.get(), g[edge_of(stage.branches.front())],
                         coefficients_of(s), outputs_(stage.place, i), weight_sums_.of(stage, run),
                         w.second_in.get(), prefetch_after<T>(plan_, seconds, k, i, add_next), w);
          T* const to = of_stage_[static_cast<size_t>(stage.source)] + i * size_;
          plan_.lanes.rectify_gradient(w.second.get(), w.second_in.get(),
                                       plan_.second.in_read.data(), to, plan_.second.n_in, c_);
          T* const sum = sums + (i * n_stages_ + stage.source) * 2 * c_;
          plan_.lanes.add_correlation(to, nullptr, y, mean, plan_.second.n_in, c_, sum, sum + c_);
        }
      }
    });
    std::vector<int64_t> stages;
    for (int64_t s = 0; s < n_stages_; ++s) {
      if (plan_.stages[static_cast<size_t>(s)].branches.empty()) {
        stages.push_back(s);
      }
    }
    std::vector<Numbers<double>> behind(stages.size());
    const auto n_read = static_cast<int64_t>(stages.size());
    parallel_where_worth(n_read, plan_.n * n_read * 2 * c_, [&](int64_t i) {
      behind[static_cast<size_t>(i)] = total(sums, stages[static_cast<size_t>(i)], n_stages_);
    });
    set_all_coefficients(stages, behind);
  }

  /// Goes back through the stages that read x. Returns the gradient of x if it is needed. Where
  /// there are few images, each group of stages makes a gradient of x of its own, and these are
  /// summed; the number of groups does not depend on the number of threads, so neither do the bits.
  at::Tensor first_stages() {
    const auto groups = groups_of(firsts_, (kRuns + n_runs_ - 1) / std::max<int64_t>(n_runs_, 1));
    std::vector<at::Tensor> to_x(groups.size());
    for (size_t group = 0; needs_.x && group < groups.size(); ++group) {
      to_x[group] =
          at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    }
    for_runs(static_cast<int64_t>(groups.size()), [&](const BackwardWorkspace<T>& w, int64_t group,
                                                      int64_t run, int64_t i, int64_t end) {
      first_stages(groups[static_cast<size_t>(group)], group == 0, to_x[static_cast<size_t>(group)],
                   w, run, i, end);
    });
    for (size_t group = 1; needs_.x && group < groups.size(); ++group) {
      to_x[0].add_(to_x[group]);
    }
    return to_x[0];
  }

  /// Goes back through the stages `firsts` on images [i, end) of a run. to_x: the part of the
  /// gradient of x that comes through these stages, and through identities where asked for.
  void first_stages(const std::vector<int64_t>& firsts, bool with_identities,
                    const at::Tensor& to_x, const BackwardWorkspace<T>& w, int64_t run, int64_t i,
                    int64_t end) {
    const Identities identities = with_identities ? all_identities() : Identities();
    const auto first_read = edges_first_read(firsts);
    const auto add_next = [&](Prefetch<T>& prefetch, size_t k, int64_t next) {
      const int64_t s = firsts[k];
      const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
      add_array<T>(prefetch, (stage.is_pool() ? pooled_ : outputs_)(stage.place, next));
      if (stage.branches.empty()) {
        add_array<T>(prefetch, of_stage_[static_cast<size_t>(s)] + next * size_);
      }
      add_gradients(prefetch, first_read[k], next);
      if (k == 0) {
        add_array(prefetch, x_.const_data_ptr<T>() + next * x_.stride(0));
        if (needs_.x) {
          add_array(prefetch, to_x.const_data_ptr<T>() + next * to_x.stride(0));
        }
      }
    };
    for (const int64_t s : firsts) {
      weight_sums_.begin(plan_.stages[static_cast<size_t>(s)], run);
    }
    const std::vector<Images<T>> gradients = images_of_gradients();
    const Images<T> images(x_, c_);
    for (; i < end; ++i) {
      const std::vector<const T*> g = image_of(gradients, i);
      const T* const x = images.image(i);
      fill_rectified(plan_, x, w);
      for (const Numbers<T>* const sum : {&w.first_in, &w.pools_in}) {
        std::fill_n(sum->get(), plan_.first.in.size(), T(0));
      }
      for (size_t k = 0; k < firsts.size(); ++k) {
        const int64_t s = firsts[k];
        const Stage<T>& stage = plan_.stages[static_cast<size_t>(s)];
        if (stage.is_pool() && needs_.x) {
          std::vector<const T*> behind;
          for (const int64_t branch : stage.branches) {
            behind.push_back(g[edge_of(branch)]);
          }
          pool_gradient(plan_, stage, x, behind, coefficients_of(s), pooled_(stage.place, i), w);
        } else if (!stage.is_pool()) {
          const T* const behind = stage.branches.empty()
                                      ? of_stage_[static_cast<size_t>(s)] + i * size_
                                      : g[edge_of(stage.branches.front())];
          stage_gradient(plan_, stage, w.rectified.get(), behind, coefficients_of(s),
                         outputs_(stage.place, i), weight_sums_.of(stage, run),
                         needs_.x ? w.first_in.get() : nullptr,
                         prefetch_after<T>(plan_, firsts, k, i, add_next), w);
        }
      }
      if (needs_.x) {
        join(ImagesToWrite<T>(to_x, c_), i, g, identities, w);
      }
    }
  }

  /// The edges that x itself is part of, and [1 + edges, c] by what: 1 for the rest of its
  /// gradient.
  struct Identities {
    std::vector<size_t> edges;
    Numbers<T> factors;
  };

  Identities all_identities() const {
    Identities found;
    std::vector<T> factors = {1};
    for (int64_t b = 0; b < static_cast<int64_t>(plan_.last_stage.size()); ++b) {
      if (plan_.last_stage[static_cast<size_t>(b)] < 0) {
        found.edges.push_back(edge_of(b));
        factors.push_back(factor_of(b));
      }
    }
    found.factors = Numbers<T>(static_cast<int64_t>(factors.size()) * c_);
    for (size_t k = 0; k < factors.size(); ++k) {
      std::fill_n(found.factors + static_cast<int64_t>(k) * c_, c_, factors[k]);
    }
    return found;
  }

  /// Image i of the gradient of x, of what came through convolutions, pools and identities.
  void join(const ImagesToWrite<T>& to_x, int64_t i, const std::vector<const T*>& g,
            const Identities& identities, const BackwardWorkspace<T>& w) {
    const Geometry& geometry = plan_.first;
    T* const to = to_x.place(i);
    plan_.lanes.rectify_gradient(w.rectified.get(), w.first_in.get(), geometry.in_read.data(), to,
                                 geometry.n_in, c_);
    plan_.lanes.add_from(w.pools_in.get(), geometry.in_read.data(), to, geometry.n_in, c_);
    if (!identities.edges.empty()) {
      std::vector<const T*> terms = {to};
      for (const size_t edge : identities.edges) {
        terms.push_back(g[edge]);
      }
      plan_.lanes.blend(terms.data(), identities.factors.get(), static_cast<int64_t>(terms.size()),
                        w.zeros.get(), to, geometry.n_in, c_);
    }
    to_x.put(i);
  }

  const MixedOpPlan<T> plan_;
  const std::vector<int64_t> firsts_;  // the stages that read x
  const int64_t c_, n_stages_;
  const MixedOpOptions& options_;
  const MixedOpNeeds needs_;
  const std::vector<at::Tensor>& gradients_;
  const at::Tensor x_, blend_;
  const T* const moments_;
  const int64_t size_;  // of an image of what is made
  const Outputs<T> outputs_;
  const Numbers<T> pools_;
  const Outputs<T> pooled_;
  Workspaces<MixedOpPlan<T>, BackwardWorkspace<T>> workspaces_;
  /// Per stage [branches that end in it + 2, c]: of their gradients (one if of none), of what the
  /// stage made, and a shift.
  std::vector<Numbers<T>> coefficients_;
  std::vector<Numbers<T>> of_stage_;  // gradients behind the normalisations of first stages
  const int64_t n_runs_;
  RunsOfWeightSums<T> weight_sums_;
};

}  // namespace

MixedOpsGradients mixed_ops_backward(at::TensorList gradients, const at::Tensor& x,
                                     const at::Tensor& blend, at::TensorList weights,
                                     const at::Tensor& kept, const at::Tensor& moments,
                                     const MixedOpOptions& options, MixedOpNeeds needs) {
  std::vector<at::Tensor> g;
  for (const at::Tensor& gradient : gradients) {
    g.push_back(gradient.contiguous(at::MemoryFormat::ChannelsLast));
  }
  const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
  return AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "mixed_ops_backward", [&] {
    return MixedOpBackwardPass<scalar_t>(g, read, blend, weights, kept, moments, options, needs)
        .run();
  });
}

}  // namespace retia::kernels::cpu
