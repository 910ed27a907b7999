#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_kernels.cuh"
#include "retia/kernels/mixed_op/mixed_op_passes_stages.h"

namespace retia::kernels {

/// The arguments of mixed_ops as its passes read them, and the computations that forward and
/// backward passes share.
///
/// Runner: `Runner::each(body, n)` runs a body of mixed_op_kernels.cuh n times. scalar_t: the dtype
/// of x, which bodies know as `Runner::Stored<scalar_t>`.
template <class Runner, class scalar_t>
class MixedOpPassesData {
 protected:
  using T = typename Runner::template Stored<scalar_t>;
  using S = cuda::Sum<T>;
  static constexpr at::ScalarType kSum = c10::CppTypeToScalarType<S>::value;
  static constexpr int kJoined = cuda::kJoined;

  MixedOpPassesData(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    const MixedOpOptions& options)
      : x_(x),
        blend_(blend.to(kSum).contiguous()),
        o_(options),
        edges_(edges_of(options)),
        c_(static_cast<int>(x.size(1))),
        stages_(options.branches) {
    const auto strided = [&](int64_t size) {
      return static_cast<int>((size + options.stride - 1) / options.stride);
    };
    stencil_ = {static_cast<int>(x.size(2)),
                static_cast<int>(x.size(3)),
                strided(x.size(2)),
                strided(x.size(3)),
                c_,
                3,
                static_cast<int>(options.stride),
                1,
                false};
    pixels_ = static_cast<int>(x.size(0)) * stencil_.height_out * stencil_.width_out;
    // Powers of kJoined, so that joining never mixes members.
    slices_ = {pixels_, pixels_ >= 16 * kJoined * kJoined ? kJoined * kJoined
                        : pixels_ >= kJoined              ? kJoined
                                                          : 1};
    TORCH_CHECK(x.numel() * int64_t{2 * cuda::kMembers} <= std::numeric_limits<int>::max(),
                "mixed_op: a tensor on a GPU may hold 2^26 numbers, but x is ", x.sizes());
    for (const at::Tensor& weight : weights) {
      weights_.push_back(weight.to(kSum).contiguous());
    }
  }

  /// Returns the edge of a branch.
  size_t edge_of(int branch) const {
    size_t edge = edges_.size() - 1;
    while (branch < edges_[edge].branch) {
      --edge;
    }
    return edge;
  }
  /// Returns the weight by which a branch is blended.
  const S* weight_of(int branch) const { return read(blend_) + branch; }
  /// Returns the number of values of a result.
  int size() const { return pixels_ * c_; }

  /// Takes what forward saves for backward. kept: results of convolutions before normalisation,
  /// [convolutions, pixels, c]. norm: mean and 1/deviation, [normalisations, 2, c].
  void hold(const at::Tensor& kept, const at::Tensor& norm) {
    kept_ = kept;
    norm_ = norm;
  }

  /// Returns the numbers of a tensor of the dtype of x.
  static const T* stored(const at::Tensor& tensor) {
    return reinterpret_cast<const T*>(tensor.const_data_ptr<scalar_t>());
  }
  /// Returns the numbers of a tensor of the dtype of sums.
  static const S* read(const at::Tensor& tensor) { return tensor.const_data_ptr<S>(); }
  /// Returns the numbers of a tensor of the dtype of x, to write.
  static T* write_stored(const at::Tensor& tensor) {
    return static_cast<T*>(tensor.mutable_data_ptr());
  }
  /// Returns the numbers of a tensor of the dtype of sums, to write.
  static S* write_sums(const at::Tensor& tensor) {
    return static_cast<S*>(tensor.mutable_data_ptr());
  }
  /// Makes a tensor of the dtype of x.
  at::Tensor stored_like(at::IntArrayRef sizes) const {
    return at::empty(sizes, x_.options().memory_format({}));
  }
  /// Makes a tensor of the dtype of sums.
  at::Tensor sums(at::IntArrayRef sizes) const {
    return at::empty(sizes, x_.options().dtype(kSum).memory_format({}));
  }
  /// Makes a tensor for the result of an edge.
  at::Tensor result() const {
    return at::empty({x_.size(0), c_, stencil_.height_out, stencil_.width_out},
                     x_.options().memory_format(at::MemoryFormat::ChannelsLast));
  }

  /// Calls run(group, first) for groups of at most cuda::kMembers members, of which `first` is the
  /// first.
  template <class Member, class Run>
  static void in_groups(const std::vector<Member>& members, const Run& run) {
    for (size_t first = 0; first < members.size(); first += cuda::kMembers) {
      cuda::Group<Member> group{};
      while (group.n < cuda::kMembers && first + static_cast<size_t>(group.n) < members.size()) {
        group.members[group.n] = members[first + static_cast<size_t>(group.n)];
        ++group.n;
      }
      run(group, first);
    }
  }

  /// Returns how the stencil of a stage lies over what the stage reads.
  cuda::Stencil stencil_of(const PassStage& stage) const {
    cuda::Stencil stencil = stencil_;
    stencil.kernel = stage.kernel;
    stencil.dilation = stage.dilation;
    if (stage.source >= 0) {
      stencil.height = stencil_.height_out;
      stencil.width = stencil_.width_out;
      stencil.stride = 1;
    }
    return stencil;
  }

  /// Returns the mean and 1/deviation of a stage, [2, c].
  const S* norm_of(const PassStage& stage) const {
    return read(norm_) + int64_t{stage.norm} * 2 * c_;
  }
  /// Returns the result of a stage before normalisation, [pixels, c].
  const T* before_normalisation(const PassStage& stage) const {
    const bool is_pool = stage.place >= stages_.n_kept();
    return (is_pool ? stored(pooled_) : stored(kept_)) +
           int64_t{stage.place - (is_pool ? stages_.n_kept() : 0)} * size();
  }
  /// Returns the normalised result of a stage.
  cuda::Normalised<T> normalised(const PassStage& stage) const {
    return {before_normalisation(stage), norm_of(stage)};
  }
  /// Returns what a stage reads, before relu.
  cuda::Normalised<T> source_of(const PassStage& stage) const {
    return stage.source < 0 ? cuda::Normalised<T>{stored(x_), nullptr}
                            : normalised(stages_.first[static_cast<size_t>(stage.source)]);
  }
  /// Returns the depthwise weights of a stage, [c, kernel²]; null: it is no convolution.
  const S* taps_of(const PassStage& stage) const {
    return stage.kind == StageKind::Convolution
               ? read(weights_[static_cast<size_t>(stage.first_weight)])
               : nullptr;
  }

  /// Computes the stencils of `stages`: [stages, pixels, c].
  at::Tensor stencils(const std::vector<PassStage>& stages) const {
    const at::Tensor out = stored_like({static_cast<int>(stages.size()), pixels_, c_});
    std::vector<cuda::StencilOf<T>> members;
    for (const PassStage& stage : stages) {
      members.push_back({stage.kind, stencil_of(stage), source_of(stage), taps_of(stage),
                         write_stored(out) + static_cast<int64_t>(members.size()) * size()});
    }
    in_groups(members, [&](const auto& group, size_t) {
      Runner::each(cuda::Stencils<T>{size(), group}, int64_t{group.n} * size());
    });
    return out;
  }

  /// Computes the pools of x.
  void make_pools() { pooled_ = stencils(stages_.pools); }

  /// Returns the weights of the pointwise convolutions of `stages`, [stages, out, in].
  at::Tensor pointwise(const std::vector<PassStage>& stages) const {
    std::vector<at::Tensor> found;
    for (const PassStage& stage : stages) {
      found.push_back(weights_[static_cast<size_t>(stage.first_weight) + 1].view({c_, c_}));
    }
    return at::stack(found).to(x_.scalar_type());
  }

  /// Returns the part of `all` that belongs to `stages`, which are one list.
  at::Tensor kept_of(const std::vector<PassStage>& stages, const at::Tensor& all) const {
    return all.narrow(0, stages.front().place, static_cast<int>(stages.size()));
  }

  /// Returns what factorised reductions multiply, [1, pixels, 2 c].
  at::Tensor halved() const {
    const at::Tensor out = stored_like({1, pixels_, 2 * c_});
    Runner::each(cuda::Halved<T>{stencil_, stored(x_), write_stored(out)}, 2 * int64_t{size()});
    return out;
  }

  /// Returns the weights of both products of a factorised reduction as one matrix, [1, 2 c, c].
  at::Tensor halving(const PassStage& stage) const {
    const at::Tensor& even = weights_[static_cast<size_t>(stage.first_weight)];
    const at::Tensor& odd = weights_[static_cast<size_t>(stage.first_weight) + 1];
    const int64_t n_even = even.size(0);
    const at::Tensor both = at::zeros({1, 2 * c_, c_}, even.options());
    both[0].narrow(0, 0, c_).narrow(1, 0, n_even).copy_(even.view({n_even, c_}).t());
    both[0].narrow(0, c_, c_).narrow(1, n_even, c_ - n_even).copy_(odd.view({-1, c_}).t());
    return both.to(x_.scalar_type());
  }

  /// Joins counts, means and sums of squares of slices, [members, slices, 3, c], to
  /// [members, 3, c].
  at::Tensor joined_moments(const at::Tensor& slices) const {
    return joined<cuda::JoinMoments<S>, 3>(slices);
  }
  /// Adds the sums of slices, [members, slices, …], to [members, …].
  at::Tensor joined_sums(const at::Tensor& slices) const {
    return joined<cuda::JoinSums<S>, 1>(slices);
  }
  /// Returns the distance, in numbers, of a member of `of`, [members, …], from the first.
  static int64_t offset(const at::Tensor& of, size_t member) {
    return static_cast<int64_t>(member) * of.stride(0);
  }

  const at::Tensor x_, blend_;
  const MixedOpOptions o_;
  const std::vector<MixedEdge> edges_;
  const int c_;
  const PassStages stages_;
  std::vector<at::Tensor> weights_;
  cuda::Stencil stencil_ = {};  // of a pool of x
  cuda::Slices slices_ = {};
  int pixels_ = 0;          // of a channel of the result, in all images
  at::Tensor kept_, norm_;  // see hold()
  at::Tensor pooled_;       // results of pools before normalisation, [pools, pixels, c]

 private:
  template <class Body, int kRows>
  at::Tensor joined(at::Tensor slices) const {
    while (slices.size(1) > 1) {
      const auto n = static_cast<int>(slices.size(0) * slices.size(1));
      std::vector<int64_t> sizes = slices.sizes().vec();
      sizes[1] /= kJoined;
      const at::Tensor fewer = sums(sizes);
      const int width = static_cast<int>(slices[0][0].numel()) / kRows;
      Runner::each(Body{n, width, read(slices), write_sums(fewer)}, int64_t{n} / kJoined * width);
      slices = fewer;
    }
    return slices.select(1, 0);
  }
};

}  // namespace retia::kernels
