#pragma once

#include <ATen/ops/bmm.h>

#include <vector>

#include "retia/kernels/mixed_op/mixed_op_passes_data.h"
#include "retia/kernels/passes_over_ranks.h"

namespace retia::kernels {

/// The backward pass of mixed_ops on a device, as passes over memory, each a body of
/// mixed_op_kernels.cuh. Pointwise convolutions of a level are one product of ATen. Results do not
/// depend on the order in which bodies run. Runner, scalar_t: see MixedOpPassesData.
template <class Runner, class scalar_t>
class MixedOpBackwardPasses : MixedOpPassesData<Runner, scalar_t> {
  using Data = MixedOpPassesData<Runner, scalar_t>;
  using Data::blend_;
  using Data::c_;
  using Data::edge_of;
  using Data::halved;
  using Data::halving;
  using Data::hold;
  using Data::in_groups;
  using Data::joined_sums;
  using Data::kept_of;
  using Data::kSum;
  using Data::make_pools;
  using Data::normalised;
  using Data::o_;
  using Data::offset;
  using Data::pixels_;
  using Data::pointwise;
  using Data::read;
  using Data::size;
  using Data::slices_;
  using Data::source_of;
  using Data::stages_;
  using Data::stencil_;
  using Data::stencil_of;
  using Data::stencils;
  using Data::stored;
  using Data::stored_like;
  using Data::sums;
  using Data::taps_of;
  using Data::weight_of;
  using Data::weights_;
  using Data::write_stored;
  using Data::write_sums;
  using Data::x_;
  using typename Data::S;
  using typename Data::T;

 public:
  MixedOpBackwardPasses(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                        const MixedOpOptions& options)
      : Data(x, blend, weights, options) {}

  /// Returns the gradients. behind: the gradients of the edges' results, in channels_last. kept, norm:
  /// as forward returned them.
  MixedOpsGradients run(at::TensorList behind, const at::Tensor& kept, const at::Tensor& norm,
                        MixedOpNeeds needs) {
    hold(kept, norm);
    behind_ = behind.vec();
    needs_ = needs;
    gradients_.assign(weights_.size(), at::Tensor());
    before_ = stored_like({stages_.n_norms(), pixels_, c_});
    make_pools();
    const at::Tensor to_blend = behind_the_blend();
    if (!needs.x && !needs.weights) {
      return {at::Tensor(), to_blend, gradients_};
    }
    between_the_levels(back_through(stages_.second));
    const at::Tensor made = back_through(stages_.first);
    back_through_halvings();
    return {needs.x ? into_input(made) : at::Tensor(), to_blend, gradients_};
  }

 private:
  const T* behind(int branch) const { return stored(behind_[edge_of(branch)]); }
  const T* member_of(const at::Tensor& stages, size_t i) const {
    return stored(stages) + static_cast<int64_t>(i) * size();
  }
  T* gradient_before(const PassStage& stage) const {
    return write_stored(before_) + int64_t{stage.place} * size();
  }

  at::Tensor means_of(const at::Tensor& found) const {
    return o_.training ? mean_over_pixels(found, pixels_, o_.ranks) : found;
  }

  /// Σ g and Σ g · ŷ of each, [members, 2, c].
  at::Tensor correlations(const std::vector<cuda::Correlated<T>>& members) const {
    const at::Tensor found = sums({static_cast<int64_t>(members.size()), slices_.n, 2, c_});
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(
          cuda::Correlations<T>{slices_, c_, group, write_sums(found) + offset(found, first)},
          int64_t{group.n} * slices_.n * c_);
    });
    return joined_sums(found).contiguous();
  }

  /// Gradients before the normalisations of `stages` of those behind them. factors: of each, or
  /// null.
  void before_normalisations(const std::vector<const PassStage*>& stages,
                             const std::vector<const T*>& behind, const at::Tensor& means,
                             const std::vector<const S*>& factors) const {
    std::vector<cuda::Behind<T>> members;
    for (size_t i = 0; i < stages.size(); ++i) {
      members.push_back({normalised(*stages[i]), behind[i], read(means) + offset(means, i),
                         factors[i], gradient_before(*stages[i])});
    }
    in_groups(members, [&](const auto& group, size_t) {
      Runner::each(cuda::NormalisedBack<T>{size(), c_, o_.training, group},
                   int64_t{group.n} * size());
    });
  }

  /// The gradient of the blend; those of all branches before their normalisation.
  at::Tensor behind_the_blend() const {
    std::vector<const PassStage*> last;
    std::vector<cuda::Correlated<T>> members;
    std::vector<int> places;
    std::vector<const T*> behind_last;
    std::vector<const S*> factors;
    for (const PassStage* stage : stages_.all()) {
      if (stage->branch >= 0) {
        last.push_back(stage);
        members.push_back({normalised(*stage), behind(stage->branch)});
        places.push_back(stage->branch);
        behind_last.push_back(behind(stage->branch));
        factors.push_back(weight_of(stage->branch));
      }
    }
    for (const int branch : stages_.identities) {
      members.push_back({{stored(x_), nullptr}, behind(branch)});
      places.push_back(branch);
    }
    const at::Tensor found = correlations(members);
    const auto n_last = static_cast<int64_t>(last.size());
    const at::Tensor to_blend = sums({blend_.size(0)});
    in_groups(places, [&](const auto& group, size_t first) {
      Runner::each(
          cuda::BlendBack<S>{c_, read(found) + offset(found, first), group, write_sums(to_blend)},
          group.n);
    });
    if (needs_.x || needs_.weights) {
      before_normalisations(last, behind_last, means_of(found.narrow(0, 0, n_last)), factors);
    }
    return to_blend;
  }

  /// Through the pointwise and to the weights of both convolutions. Returns the gradients of what
  /// the depthwise ones made, [stages, pixels, c].
  at::Tensor back_through(const std::vector<PassStage>& stages) {
    if (stages.empty()) {
      return {};
    }
    const at::Tensor before = kept_of(stages, before_);
    const at::Tensor made = at::bmm(before, pointwise(stages));
    if (needs_.weights) {
      const at::Tensor products = at::bmm(before.transpose(1, 2), stencils(stages));
      for (size_t i = 0; i < stages.size(); ++i) {
        at::Tensor& to = gradients_[static_cast<size_t>(stages[i].first_weight) + 1];
        to = products[static_cast<int64_t>(i)].to(kSum).view({c_, c_, 1, 1});
      }
      depthwise_weights(stages, made);
    }
    return made;
  }

  std::vector<cuda::Through<T>> depthwise_of(const std::vector<PassStage>& stages,
                                             const at::Tensor& made) const {
    std::vector<cuda::Through<T>> members;
    for (const PassStage& stage : stages) {
      members.push_back({stencil_of(stage), source_of(stage), taps_of(stage),
                         member_of(made, members.size()), nullptr});
    }
    return members;
  }

  void depthwise_weights(const std::vector<PassStage>& stages, const at::Tensor& made) {
    constexpr int kTaps = static_cast<int>(largest_kernel() * largest_kernel());
    const at::Tensor found = sums({static_cast<int>(stages.size()), slices_.n, kTaps, c_});
    in_groups(depthwise_of(stages, made), [&](const auto& group, size_t first) {
      Runner::each(cuda::DepthwiseWeightsOf<T>{slices_, kTaps, c_, group,
                                               write_sums(found) + offset(found, first)},
                   int64_t{group.n} * slices_.n * kTaps * c_);
    });
    const at::Tensor together = joined_sums(found);
    for (size_t i = 0; i < stages.size(); ++i) {
      const int kernel = stages[i].kernel;
      gradients_[static_cast<size_t>(stages[i].first_weight)] =
          together[static_cast<int64_t>(i)]
              .narrow(0, 0, int64_t{kernel} * kernel)
              .t()
              .reshape({c_, 1, kernel, kernel});
    }
  }

  /// From what second depthwise convolutions read to before the first normalisations.
  void between_the_levels(const at::Tensor& made) const {
    if (stages_.second.empty()) {
      return;
    }
    const at::Tensor behind = stored_like({static_cast<int>(stages_.second.size()), pixels_, c_});
    std::vector<cuda::Through<T>> members = depthwise_of(stages_.second, made);
    std::vector<const PassStage*> sources;
    std::vector<const T*> gradients;
    std::vector<cuda::Correlated<T>> correlated;
    for (size_t i = 0; i < members.size(); ++i) {
      members[i].to = write_stored(behind) + static_cast<int64_t>(i) * size();
      sources.push_back(&stages_.first[static_cast<size_t>(stages_.second[i].source)]);
      gradients.push_back(members[i].to);
      correlated.push_back({normalised(*sources.back()), members[i].to});
    }
    in_groups(members, [&](const auto& group, size_t) {
      Runner::each(cuda::ThroughDepthwise<T>{size(), group}, int64_t{group.n} * size());
    });
    before_normalisations(sources, gradients, means_of(correlations(correlated)),
                          std::vector<const S*>(members.size(), nullptr));
  }

  void back_through_halvings() {
    to_halved_.clear();
    for (const PassStage& stage : stages_.halvings) {
      const at::Tensor before = before_.narrow(0, stage.place, 1);
      if (needs_.x) {
        to_halved_.push_back(at::bmm(before, halving(stage).transpose(1, 2)));
      }
      if (needs_.weights) {
        const at::Tensor both = at::bmm(before.transpose(1, 2), halved())[0].to(kSum);
        for (const int64_t i : {0, 1}) {
          const auto at = static_cast<size_t>(stage.first_weight + i);
          const int64_t out = weights_[at].size(0);
          gradients_[at] = both.narrow(0, i == 0 ? 0 : c_ - out, out)
                               .narrow(1, i * c_, c_)
                               .reshape({out, c_, 1, 1});
        }
      }
    }
  }

  at::Tensor into_input(const at::Tensor& made) const {
    std::vector<cuda::Into<T>> members;
    for (const PassStage& stage : stages_.first) {
      members.push_back({stage.kind, stencil_of(stage), taps_of(stage),
                         member_of(made, members.size()), nullptr});
    }
    for (const PassStage& pool : stages_.pools) {
      members.push_back({pool.kind, stencil_of(pool), nullptr, gradient_before(pool), nullptr});
    }
    for (const at::Tensor& to : to_halved_) {
      members.push_back({StageKind::Halving, stencil_, nullptr, stored(to), nullptr});
    }
    for (const int branch : stages_.identities) {
      members.push_back(
          {StageKind::Convolution, stencil_, nullptr, behind(branch), weight_of(branch)});
    }
    const at::Tensor to =
        at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(cuda::IntoInput<T>{stored(x_), group, first > 0, write_stored(to)}, to.numel());
    });
    return to;
  }

  std::vector<at::Tensor> behind_;  // gradients of the edges' results
  MixedOpNeeds needs_;
  at::Tensor before_;  // gradients before normalisations
  std::vector<at::Tensor> gradients_, to_halved_;
};

}  // namespace retia::kernels
