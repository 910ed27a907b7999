#pragma once

#include <ATen/ops/bmm.h>

#include <utility>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op_passes_data.h"
#include "retia/kernels/passes_over_ranks.h"

namespace retia::kernels {

/// The forward pass of mixed_ops on a device, as passes over memory, each a body of
/// mixed_op_kernels.cuh. Pointwise convolutions of a level are one product of ATen. Results do not
/// depend on the order in which bodies run. Runner, scalar_t: see MixedOpPassesData.
template <class Runner, class scalar_t>
class MixedOpForwardPasses : MixedOpPassesData<Runner, scalar_t> {
  using Data = MixedOpPassesData<Runner, scalar_t>;
  using Data::before_normalisation;
  using Data::c_;
  using Data::edge_of;
  using Data::edges_;
  using Data::halved;
  using Data::halving;
  using Data::hold;
  using Data::in_groups;
  using Data::joined_moments;
  using Data::kept_;
  using Data::kept_of;
  using Data::make_pools;
  using Data::norm_;
  using Data::normalised;
  using Data::o_;
  using Data::offset;
  using Data::pixels_;
  using Data::pointwise;
  using Data::read;
  using Data::result;
  using Data::size;
  using Data::slices_;
  using Data::stages_;
  using Data::stencils;
  using Data::stored;
  using Data::stored_like;
  using Data::sums;
  using Data::weight_of;
  using Data::write_stored;
  using Data::write_sums;
  using Data::x_;
  using typename Data::S;
  using typename Data::T;

 public:
  MixedOpForwardPasses(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                       const MixedOpOptions& options)
      : Data(x, blend, weights, options) {}

  /// Returns what mixed_op_operators::Forward returns. so_far: the sums to which the edges o.summed
  /// are added, in channels_last.
  MixedOpsForward run(at::TensorList running, at::TensorList so_far = {}) {
    hold(stored_like({stages_.n_kept(), pixels_, c_}), sums({stages_.n_norms(), 2, c_}));
    batch_ = o_.training ? sums({stages_.n_norms(), 3, c_}) : sums({0});
    convolve(stages_.first);
    convolve_halvings();
    make_pools();
    normalise(stages_of({&stages_.first, &stages_.halvings, &stages_.pools}), running);
    convolve(stages_.second);
    normalise(stages_of({&stages_.second}), running);
    std::vector<std::vector<cuda::Term<T>>> terms(edges_.size());
    for (const PassStage* stage : stages_.all()) {
      if (stage->branch >= 0) {
        terms[edge_of(stage->branch)].push_back({normalised(*stage), weight_of(stage->branch)});
      }
    }
    for (const int branch : stages_.identities) {
      terms[edge_of(branch)].push_back({{stored(x_), nullptr}, weight_of(branch)});
    }
    for (size_t i = 0; i < so_far.size(); ++i) {
      const auto edge = static_cast<size_t>(o_.summed[i]);
      terms[edge].push_back({{stored(so_far[i]), nullptr}, nullptr});
    }
    std::vector<at::Tensor> results;
    for (const auto& of_edge : terms) {
      const at::Tensor& out = results.emplace_back(result());
      in_groups(of_edge, [&](const auto& group, size_t first) {
        Runner::each(cuda::Blend<T>{c_, group, first > 0, write_stored(out)}, size());
      });
    }
    return {std::move(results), kept_, norm_, batch_};
  }

 private:
  /// Runs the stencils and pointwise products of `stages`.
  void convolve(const std::vector<PassStage>& stages) {
    if (!stages.empty()) {
      at::Tensor out = kept_of(stages, kept_);
      at::bmm_out(out, stencils(stages), pointwise(stages).transpose(1, 2));
    }
  }

  void convolve_halvings() {
    for (const PassStage& stage : stages_.halvings) {
      at::Tensor out = kept_.narrow(0, stage.place, 1);
      at::bmm_out(out, halved(), halving(stage));
    }
  }

  /// Returns count, mean and sum of squares about it of each stage, [stages, 3, c].
  at::Tensor moments(const std::vector<const PassStage*>& stages) const {
    const at::Tensor found = sums({static_cast<int64_t>(stages.size()), slices_.n, 3, c_});
    std::vector<const T*> members;
    for (const PassStage* stage : stages) {
      members.push_back(before_normalisation(*stage));
    }
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(cuda::MomentsOf<T>{slices_, c_, group, write_sums(found) + offset(found, first)},
                   int64_t{group.n} * slices_.n * c_);
    });
    const at::Tensor batch = joined_moments(found).contiguous();
    return o_.ranks == nullptr ? batch : batch_of_all_ranks(batch, *o_.ranks);
  }

  /// Finds what `stages` are normalised by.
  void normalise(const std::vector<const PassStage*>& stages, at::TensorList running) {
    if (stages.empty()) {
      return;
    }
    const at::Tensor batch = o_.training ? moments(stages) : at::Tensor();
    std::vector<cuda::Running<S>> members;
    for (const PassStage* stage : stages) {
      const auto at = static_cast<size_t>(stage->running);
      members.push_back(
          o_.training
              ? cuda::Running<S>{nullptr, nullptr, write_sums(batch_) + offset(batch_, at)}
              : cuda::Running<S>{read(running[2 * at]), read(running[2 * at + 1]), nullptr});
    }
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(
          cuda::Normalisers<S>{
              c_, batch.defined() ? read(batch) + offset(batch, first) : nullptr, group,
              static_cast<S>(o_.epsilon),
              write_sums(norm_) + offset(norm_, static_cast<size_t>(stages[first]->norm))},
          int64_t{group.n} * c_);
    });
  }

  at::Tensor batch_;
};

}  // namespace retia::kernels
