#pragma once

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <tuple>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_kernels.cuh"
#include "retia/kernels/passes_over_ranks.h"

namespace retia::kernels {

/// mixed_ops on a device as passes over memory, each a body of mixed_op_kernels.cuh that
/// `Runner::each(body, n)` runs; products of pointwise convolutions are ATen's, all of a level at
/// once. scalar_t: of x; `Runner::Stored<scalar_t>` is the same as the bodies know it. Results do
/// not depend on the order in which bodies run.
///
/// It keeps the results of convolutions before their normalisation, [convolutions, pixels, c], and
/// what is normalised by, [normalisations, 2, c].
template <class Runner, class scalar_t>
class MixedOpPasses {
 public:
  MixedOpPasses(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                const MixedOpOptions& options)
      : x_(x),
        blend_(blend.to(kSum).contiguous()),
        o_(options),
        edges_(edges_of(options)),
        c_(static_cast<int>(x.size(1))) {
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
    plan();
  }

  /// Returns what mixed_op_operators::Forward returns. so_far: the sums to which the edges o.summed
  /// are added, in channels_last.
  MixedOpsForward forward(at::TensorList running, at::TensorList so_far = {}) {
    hold(stored_like({n_kept(), pixels_, c_}), sums({n_norms(), 2, c_}));
    batch_ = o_.training ? sums({n_norms(), 3, c_}) : sums({0});
    convolve(first_);
    convolve_halvings();
    pool();
    normalise(all(first_, halvings_, pools_), running);
    convolve(second_);
    normalise(all(second_), running);
    std::vector<std::vector<cuda::Term<T>>> terms(edges_.size());
    for (const Stage* stage : all(first_, halvings_, pools_, second_)) {
      if (stage->branch >= 0) {
        terms[edge_of(stage->branch)].push_back({normalised(*stage), weight_of(stage->branch)});
      }
    }
    for (const int branch : identities_) {
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
        Runner::each(cuda::Blend<T>{c_, group, first > 0, write<T>(out)}, size());
      });
    }
    return {std::move(results), kept_, norm_, batch_};
  }

  /// Gradients of x (undefined unless needed), blend, and each of the weights (likewise). behind:
  /// of the edges' results.
  MixedOpsGradients backward(at::TensorList behind, const at::Tensor& kept, const at::Tensor& norm,
                             MixedOpNeeds needs) {
    hold(kept, norm);
    behind_ = behind.vec();
    needs_ = needs;
    gradients_.assign(weights_.size(), at::Tensor());
    before_ = stored_like({n_norms(), pixels_, c_});
    pool();
    const at::Tensor to_blend = behind_the_blend();
    if (!needs.x && !needs.weights) {
      return {at::Tensor(), to_blend, gradients_};
    }
    between_the_levels(back_through(second_));
    const at::Tensor made = back_through(first_);
    back_through_halvings();
    return {needs.x ? into_input(made) : at::Tensor(), to_blend, gradients_};
  }

 private:
  using T = typename Runner::template Stored<scalar_t>;
  using S = cuda::Sum<T>;
  static constexpr at::ScalarType kSum = c10::CppTypeToScalarType<S>::value;
  static constexpr int kJoined = cuda::kJoined;

  /// What ends in one normalisation.
  struct Stage {
    StageKind kind;
    int kernel, dilation;
    int branch;        ///< whose last stage it is, or -1
    int running;       ///< its normalisation, among the running statistics
    int first_weight;  ///< in the list of weights
    int source = -1;   ///< among `first_`, whose normalised result it reads; -1: x
    int place = 0;     ///< among what is kept, and its gradients; pools come after
    int norm = 0;      ///< among what is normalised by: level by level
  };
  using Stages = std::vector<Stage>;

  template <class... More>
  static std::vector<const Stage*> all(const More&... lists) {
    std::vector<const Stage*> found;
    const auto take = [&](const Stages& list) {
      for (const Stage& stage : list) {
        found.push_back(&stage);
      }
    };
    (take(lists), ...);
    return found;
  }
  static int n(const Stages& stages) { return static_cast<int>(stages.size()); }

  void plan() {
    int weight = 0, norm = 0;
    for (size_t k = 0; k < o_.branches.size(); ++k) {
      const auto branch = static_cast<MixedBranch>(o_.branches[k]);
      const int place = static_cast<int>(k);
      const BranchRow& row = row_of(branch);
      if (row.n_stages == 0) {
        identities_.push_back(place);
      }
      for (int64_t i = 0; i < row.n_stages; ++i) {
        add_stage(row, i, place, weight, norm);
      }
      weight += static_cast<int>(kernels::n_weights(branch));
      norm += static_cast<int>(kernels::n_norms(branch));
    }
    number(&Stage::place, {&first_, &halvings_, &second_, &pools_});
    number(&Stage::norm, {&first_, &halvings_, &pools_, &second_});
  }

  /// Adds stage i of a branch, the place-th, whose weights and normalisations begin there.
  void add_stage(const BranchRow& row, int64_t i, int place, int weight, int norm) {
    const BranchStage& of = row.stages[i];
    Stage stage = {of.kind,
                   static_cast<int>(of.kernel),
                   static_cast<int>(of.dilation),
                   i + 1 == row.n_stages ? place : -1,
                   norm + static_cast<int>(i),
                   weight};
    if (i > 0) {
      stage.first_weight += static_cast<int>(row.stages[0].n_weights());
      stage.source = n(first_) - 1;
      second_.push_back(stage);
    } else {
      (of.is_pool() ? pools_ : of.kind == StageKind::Halving ? halvings_ : first_).push_back(stage);
    }
  }

  static void number(int Stage::*as, const std::vector<Stages*>& lists) {
    int next = 0;
    for (Stages* stages : lists) {
      for (Stage& stage : *stages) {
        stage.*as = next++;
      }
    }
  }

  size_t edge_of(int branch) const {
    size_t edge = edges_.size() - 1;
    while (branch < edges_[edge].branch) {
      --edge;
    }
    return edge;
  }
  const S* weight_of(int branch) const { return read(blend_) + branch; }
  const T* behind(int branch) const { return stored(behind_[edge_of(branch)]); }

  int n_kept() const { return n(first_) + n(halvings_) + n(second_); }
  int n_norms() const { return n_kept() + n(pools_); }
  int size() const { return pixels_ * c_; }

  void hold(const at::Tensor& kept, const at::Tensor& norm) {
    kept_ = kept;
    norm_ = norm;
  }

  static const T* stored(const at::Tensor& tensor) {
    return reinterpret_cast<const T*>(tensor.const_data_ptr<scalar_t>());
  }
  static const S* read(const at::Tensor& tensor) { return tensor.const_data_ptr<S>(); }
  template <class To>
  static To* write(const at::Tensor& tensor) {
    return static_cast<To*>(tensor.mutable_data_ptr());
  }
  at::Tensor stored_like(at::IntArrayRef sizes) const {
    return at::empty(sizes, x_.options().memory_format({}));
  }
  at::Tensor sums(at::IntArrayRef sizes) const {
    return at::empty(sizes, x_.options().dtype(kSum).memory_format({}));
  }
  at::Tensor result() const {
    return at::empty({x_.size(0), c_, stencil_.height_out, stencil_.width_out},
                     x_.options().memory_format(at::MemoryFormat::ChannelsLast));
  }

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

  cuda::Stencil stencil_of(const Stage& stage) const {
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

  const S* norm_of(const Stage& stage) const { return read(norm_) + int64_t{stage.norm} * 2 * c_; }
  const T* before_normalisation(const Stage& stage) const {
    const bool is_pool = stage.place >= n_kept();
    return (is_pool ? stored(pooled_) : stored(kept_)) +
           int64_t{stage.place - (is_pool ? n_kept() : 0)} * size();
  }
  cuda::Normalised<T> normalised(const Stage& stage) const {
    return {before_normalisation(stage), norm_of(stage)};
  }
  /// What the stage reads, before it is rectified.
  cuda::Normalised<T> source_of(const Stage& stage) const {
    return stage.source < 0 ? cuda::Normalised<T>{stored(x_), nullptr}
                            : normalised(first_[static_cast<size_t>(stage.source)]);
  }
  const S* taps_of(const Stage& stage) const {
    return stage.kind == StageKind::Convolution
               ? read(weights_[static_cast<size_t>(stage.first_weight)])
               : nullptr;
  }
  const T* member_of(const at::Tensor& stages, size_t i) const {
    return stored(stages) + static_cast<int64_t>(i) * size();
  }
  T* gradient_before(const Stage& stage) const {
    return write<T>(before_) + int64_t{stage.place} * size();
  }

  /// Results of stencils, [stages, pixels, c].
  at::Tensor stencils(const Stages& stages) const {
    const at::Tensor out = stored_like({n(stages), pixels_, c_});
    std::vector<cuda::StencilOf<T>> members;
    for (const Stage& stage : stages) {
      members.push_back({stage.kind, stencil_of(stage), source_of(stage), taps_of(stage),
                         write<T>(out) + static_cast<int64_t>(members.size()) * size()});
    }
    in_groups(members, [&](const auto& group, size_t) {
      Runner::each(cuda::Stencils<T>{size(), group}, int64_t{group.n} * size());
    });
    return out;
  }

  void pool() { pooled_ = stencils(pools_); }

  /// Weights of pointwise convolutions, [stages, out, in].
  at::Tensor pointwise(const Stages& stages) const {
    std::vector<at::Tensor> found;
    for (const Stage& stage : stages) {
      found.push_back(weights_[static_cast<size_t>(stage.first_weight) + 1].view({c_, c_}));
    }
    return at::stack(found).to(x_.scalar_type());
  }

  at::Tensor kept_of(const Stages& stages, const at::Tensor& all) const {
    return all.narrow(0, stages.front().place, n(stages));
  }

  void convolve(const Stages& stages) {
    if (!stages.empty()) {
      at::Tensor out = kept_of(stages, kept_);
      at::bmm_out(out, stencils(stages), pointwise(stages).transpose(1, 2));
    }
  }

  at::Tensor halved() const {
    const at::Tensor out = stored_like({1, pixels_, 2 * c_});
    Runner::each(cuda::Halved<T>{stencil_, stored(x_), write<T>(out)}, 2 * int64_t{size()});
    return out;
  }

  /// Both products of a factorised reduction as one, [1, 2 c, c].
  at::Tensor halving(const Stage& stage) const {
    const at::Tensor& even = weights_[static_cast<size_t>(stage.first_weight)];
    const at::Tensor& odd = weights_[static_cast<size_t>(stage.first_weight) + 1];
    const int64_t n_even = even.size(0);
    const at::Tensor both = at::zeros({1, 2 * c_, c_}, even.options());
    both[0].narrow(0, 0, c_).narrow(1, 0, n_even).copy_(even.view({n_even, c_}).t());
    both[0].narrow(0, c_, c_).narrow(1, n_even, c_ - n_even).copy_(odd.view({-1, c_}).t());
    return both.to(x_.scalar_type());
  }

  void convolve_halvings() {
    for (const Stage& stage : halvings_) {
      at::Tensor out = kept_.narrow(0, stage.place, 1);
      at::bmm_out(out, halved(), halving(stage));
    }
  }

  /// [members, slices, …] to [members, …].
  template <class Joiner>
  at::Tensor joined(at::Tensor slices) const {
    while (slices.size(1) > 1) {
      const auto n = static_cast<int>(slices.size(0) * slices.size(1));
      std::vector<int64_t> sizes = slices.sizes().vec();
      sizes[1] /= kJoined;
      const at::Tensor fewer = sums(sizes);
      const int width = static_cast<int>(slices[0][0].numel()) / Joiner::kRows;
      Runner::each(typename Joiner::Body{n, width, read(slices), write<S>(fewer)},
                   int64_t{n} / kJoined * width);
      slices = fewer;
    }
    return slices.select(1, 0);
  }
  struct Moments {
    using Body = cuda::JoinMoments<S>;
    static constexpr int kRows = 3;
  };
  struct Sums {
    using Body = cuda::JoinSums<S>;
    static constexpr int kRows = 1;
  };

  at::Tensor moments(const std::vector<const Stage*>& stages) const {
    const at::Tensor found = sums({static_cast<int64_t>(stages.size()), slices_.n, 3, c_});
    std::vector<const T*> members;
    for (const Stage* stage : stages) {
      members.push_back(before_normalisation(*stage));
    }
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(cuda::MomentsOf<T>{slices_, c_, group, write<S>(found) + offset(found, first)},
                   int64_t{group.n} * slices_.n * c_);
    });
    const at::Tensor batch = joined<Moments>(found).contiguous();
    return o_.ranks == nullptr ? batch : batch_of_all_ranks(batch, *o_.ranks);
  }

  at::Tensor means_of(const at::Tensor& found) const {
    return o_.training ? mean_over_pixels(found, pixels_, o_.ranks) : found;
  }

  static int64_t offset(const at::Tensor& of, size_t member) {
    return static_cast<int64_t>(member) * of.stride(0);
  }

  /// Finds what `stages` are normalised by.
  void normalise(const std::vector<const Stage*>& stages, at::TensorList running) {
    if (stages.empty()) {
      return;
    }
    const at::Tensor batch = o_.training ? moments(stages) : at::Tensor();
    std::vector<cuda::Running<S>> members;
    for (const Stage* stage : stages) {
      const auto at = static_cast<size_t>(stage->running);
      members.push_back(
          o_.training
              ? cuda::Running<S>{nullptr, nullptr, write<S>(batch_) + offset(batch_, at)}
              : cuda::Running<S>{read(running[2 * at]), read(running[2 * at + 1]), nullptr});
    }
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(
          cuda::Normalisers<S>{
              c_, batch.defined() ? read(batch) + offset(batch, first) : nullptr, group,
              static_cast<S>(o_.epsilon),
              write<S>(norm_) + offset(norm_, static_cast<size_t>(stages[first]->norm))},
          int64_t{group.n} * c_);
    });
  }

  /// Σ g and Σ g · ŷ of each, [members, 2, c].
  at::Tensor correlations(const std::vector<cuda::Correlated<T>>& members) const {
    const at::Tensor found = sums({static_cast<int64_t>(members.size()), slices_.n, 2, c_});
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(
          cuda::Correlations<T>{slices_, c_, group, write<S>(found) + offset(found, first)},
          int64_t{group.n} * slices_.n * c_);
    });
    return joined<Sums>(found).contiguous();
  }

  /// Gradients before the normalisations of `stages` of those behind them. factors: of each, or
  /// null.
  void before_normalisations(const std::vector<const Stage*>& stages,
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
    std::vector<const Stage*> last;
    std::vector<cuda::Correlated<T>> members;
    std::vector<int> places;
    std::vector<const T*> behind_last;
    std::vector<const S*> factors;
    for (const Stage* stage : all(first_, halvings_, pools_, second_)) {
      if (stage->branch >= 0) {
        last.push_back(stage);
        members.push_back({normalised(*stage), behind(stage->branch)});
        places.push_back(stage->branch);
        behind_last.push_back(behind(stage->branch));
        factors.push_back(weight_of(stage->branch));
      }
    }
    for (const int branch : identities_) {
      members.push_back({{stored(x_), nullptr}, behind(branch)});
      places.push_back(branch);
    }
    const at::Tensor found = correlations(members);
    const auto n_last = static_cast<int64_t>(last.size());
    const at::Tensor to_blend = sums({blend_.size(0)});
    in_groups(places, [&](const auto& group, size_t first) {
      Runner::each(
          cuda::BlendBack<S>{c_, read(found) + offset(found, first), group, write<S>(to_blend)},
          group.n);
    });
    if (needs_.x || needs_.weights) {
      before_normalisations(last, behind_last, means_of(found.narrow(0, 0, n_last)), factors);
    }
    return to_blend;
  }

  /// Through the pointwise and to the weights of both convolutions. Returns the gradients of what
  /// the depthwise ones made, [stages, pixels, c].
  at::Tensor back_through(const Stages& stages) {
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

  std::vector<cuda::Through<T>> depthwise_of(const Stages& stages, const at::Tensor& made) const {
    std::vector<cuda::Through<T>> members;
    for (const Stage& stage : stages) {
      members.push_back({stencil_of(stage), source_of(stage), taps_of(stage),
                         member_of(made, members.size()), nullptr});
    }
    return members;
  }

  void depthwise_weights(const Stages& stages, const at::Tensor& made) {
    constexpr int kTaps = static_cast<int>(largest_kernel() * largest_kernel());
    const at::Tensor found = sums({n(stages), slices_.n, kTaps, c_});
    in_groups(depthwise_of(stages, made), [&](const auto& group, size_t first) {
      Runner::each(cuda::DepthwiseWeightsOf<T>{slices_, kTaps, c_, group,
                                               write<S>(found) + offset(found, first)},
                   int64_t{group.n} * slices_.n * kTaps * c_);
    });
    const at::Tensor together = joined<Sums>(found);
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
    if (second_.empty()) {
      return;
    }
    const at::Tensor behind = stored_like({n(second_), pixels_, c_});
    std::vector<cuda::Through<T>> members = depthwise_of(second_, made);
    std::vector<const Stage*> sources;
    std::vector<const T*> gradients;
    std::vector<cuda::Correlated<T>> correlated;
    for (size_t i = 0; i < members.size(); ++i) {
      members[i].to = write<T>(behind) + static_cast<int64_t>(i) * size();
      sources.push_back(&first_[static_cast<size_t>(second_[i].source)]);
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
    for (const Stage& stage : halvings_) {
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
    for (const Stage& stage : first_) {
      members.push_back({stage.kind, stencil_of(stage), taps_of(stage),
                         member_of(made, members.size()), nullptr});
    }
    for (const Stage& pool : pools_) {
      members.push_back({pool.kind, stencil_of(pool), nullptr, gradient_before(pool), nullptr});
    }
    for (const at::Tensor& to : to_halved_) {
      members.push_back({StageKind::Halving, stencil_, nullptr, stored(to), nullptr});
    }
    for (const int branch : identities_) {
      members.push_back(
          {StageKind::Convolution, stencil_, nullptr, behind(branch), weight_of(branch)});
    }
    const at::Tensor to =
        at::empty(x_.sizes(), x_.options().memory_format(at::MemoryFormat::ChannelsLast));
    in_groups(members, [&](const auto& group, size_t first) {
      Runner::each(cuda::IntoInput<T>{stored(x_), group, first > 0, write<T>(to)}, to.numel());
    });
    return to;
  }

  const at::Tensor x_, blend_;
  const MixedOpOptions o_;
  const std::vector<MixedEdge> edges_;
  const int c_;
  std::vector<at::Tensor> weights_;
  cuda::Stencil stencil_ = {};  // of a pool of x
  cuda::Slices slices_ = {};
  int pixels_ = 0;  // of a channel of the result, in all images
  Stages first_, second_, halvings_, pools_;
  std::vector<int> identities_;  // their branches

  at::Tensor kept_, norm_, batch_, pooled_;
  std::vector<at::Tensor> behind_;  // gradients of the edges' results
  MixedOpNeeds needs_;
  at::Tensor before_;  // gradients before normalisations
  std::vector<at::Tensor> gradients_, to_halved_;
};

}  // namespace retia::kernels
