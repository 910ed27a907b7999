#include "retia/kernels/mixed_op/mixed_op_plan.h"

#include <algorithm>

#include "retia/kernels/parallel.h"

namespace retia::kernels {
namespace {

/// Returns how far beyond the image the branches read, at least 1, as the factorised reduction
/// does.
int64_t border_of(const std::vector<int64_t>& branches) {
  int64_t border = 1;
  for (const int64_t branch : branches) {
    for (const BranchStage& stage : row_of(static_cast<MixedBranch>(branch))) {
      border = std::max(border, stage.kernel / 2 * stage.dilation);
    }
  }
  return border;
}

/// Where weight [o, i] of a pointwise convolution that makes channels from `o` on out of those from
/// `i` on is in a product: [in, c] forward, [c, in] backward.
template <class T>
void pack_product(const at::Tensor& weight, const Numbers<T>& packed, int64_t o, int64_t i,
                  int64_t row, Way way) {
  const T* from = weight.const_data_ptr<T>();
  for (int64_t a = o; a < o + weight.size(0); ++a) {
    for (int64_t b = i; b < i + weight.size(1); ++b) {
      packed[way == Way::Forward ? b * row + a : a * row + b] = *from++;
    }
  }
}

template <class T>
void unpack_product(const T* sum, int64_t row, int64_t o, int64_t i, const at::Tensor& gradient) {
  T* to = gradient.mutable_data_ptr<T>();
  for (int64_t a = o; a < o + gradient.size(0); ++a) {
    for (int64_t b = i; b < i + gradient.size(1); ++b) {
      *to++ = sum[a * row + b];
    }
  }
}

}  // namespace

template <class T>
MixedOpPlan<T>::MixedOpPlan(const at::Tensor& x, at::TensorList weights,
                            const MixedOpOptions& options, Way way)
    : n(x.size(0)),
      channels(x.size(1)),
      c(whole(channels)),
      first(x.size(2), x.size(3), border_of(options.branches), options.stride, c),
      second(first.out.height, first.out.width, first.in.border, 1, c),
      edges(edges_of(options)),
      lanes(best_lanes<T>(c)) {
  int64_t weight = 0;
  int64_t norm = 0;
  for (size_t e = 0; e < edges.size(); ++e) {
    edge_of.insert(edge_of.end(), static_cast<size_t>(edges[e].n_branches),
                   static_cast<int64_t>(e));
  }
  for (size_t b = 0; b < options.branches.size(); ++b) {
    const auto branch = static_cast<MixedBranch>(options.branches[b]);
    // While training, all edges normalise by the same batch, so that one pool serves all of them.
    const BranchRow& row = row_of(branch);
    const bool is_pool = row.n_stages == 1 && row.stages[0].is_pool();
    const int64_t pool = options.training && is_pool ? find_pool(row.stages[0].kind) : -1;
    if (pool >= 0) {
      stages[static_cast<size_t>(pool)].norms.push_back(norm);
    }
    const int64_t last = pool >= 0 ? pool : add_branch(branch, weight, norm);
    if (last >= 0) {
      stages[static_cast<size_t>(last)].branches.push_back(static_cast<int64_t>(b));
    }
    last_stage.push_back(last);
    weight += n_weights(branch);
    norm += n_norms(branch);
  }
  std::vector<at::Tensor> sources;
  int64_t n_numbers = 0;
  for (const at::Tensor& tensor : weights) {
    sources.push_back(tensor.contiguous());
    n_numbers += tensor.numel();
  }
  parallel_where_worth(static_cast<int64_t>(stages.size()), n_numbers,
                       [&](int64_t s) { pack(stages[static_cast<size_t>(s)], sources, way); });
}

template <class T>
int64_t MixedOpPlan<T>::find_pool(StageKind kind) const {
  const auto found = std::find_if(stages.begin(), stages.end(),
                                  [&](const Stage<T>& stage) { return stage.kind == kind; });
  return found == stages.end() ? -1 : found - stages.begin();
}

template <class T>
int64_t MixedOpPlan<T>::add_branch(MixedBranch branch, int64_t weight, int64_t norm) {
  int64_t last = -1;
  for (const BranchStage& stage : row_of(branch)) {
    last = add_stage(stage, last, weight, norm++);
    weight += stage.n_weights();
  }
  return last;
}

template <class T>
int64_t MixedOpPlan<T>::add_stage(const BranchStage& of, int64_t source, int64_t first_weight,
                                  int64_t norm) {
  Stage<T> stage;
  stage.kind = of.kind;
  stage.kernel = of.kernel;
  stage.dilation = of.dilation;
  stage.source = source;
  stage.first_weight = first_weight;
  stage.geometry = source < 0 ? &first : &second;
  stage.norms = {norm};
  stage.place = stage.is_pool() ? n_pools++ : n_kept++;
  stages.push_back(std::move(stage));
  return static_cast<int64_t>(stages.size()) - 1;
}

template <class T>
void MixedOpPlan<T>::pack(Stage<T>& stage, at::TensorList weights, Way way) const {
  const Geometry& g = *stage.geometry;
  const std::vector<Tap> taps = taps_of(stage.kernel, stage.dilation);
  for (const Tap& tap : taps) {
    stage.taps.push_back(static_cast<int32_t>(tap.y * g.in.row() + tap.x * c));
  }
  if (!stage.is_pool()) {
    stage.product = Numbers<T>(stage.in() * c);
  }
  const auto at = static_cast<size_t>(stage.first_weight);
  const int64_t row = way == Way::Forward ? c : stage.in();
  if (stage.kind == StageKind::Convolution) {
    stage.stencil = pack_stencil<T>(weights[at], c);
    pack_product(weights[at + 1], stage.product, 0, 0, row, way);
  } else {
    stage.stencil = Numbers<T>::unset(static_cast<int64_t>(taps.size()) * c);
    std::fill_n(stage.stencil.get(), static_cast<int64_t>(taps.size()) * c, T(1));
  }
  if (stage.kind == StageKind::Halving) {
    pack_product(weights[at], stage.product, 0, 0, row, way);
    pack_product(weights[at + 1], stage.product, weights[at].size(0), c, row, way);
  }
  if (way == Way::Backward) {
    for (const Phase& phase : g.phases) {
      stage.through.push_back(taps_through(phase, g, taps, stage.stencil));
    }
  }
}

template <class T>
std::vector<int64_t> MixedOpPlan<T>::stages_on(bool on_x) const {
  std::vector<int64_t> found;
  for (size_t s = 0; s < stages.size(); ++s) {
    if ((stages[s].source < 0) == on_x) {
      found.push_back(static_cast<int64_t>(s));
    }
  }
  return found;
}

template <class T>
void MixedOpPlan<T>::unpack(const Stage<T>& stage, const T* stencil_sum, const T* product_sum,
                            const std::vector<at::Tensor>& gradients) const {
  const auto at = static_cast<size_t>(stage.first_weight);
  if (stage.kind == StageKind::Convolution) {
    const int64_t n_taps = stage.kernel * stage.kernel;
    T* const to = gradients[at].mutable_data_ptr<T>();
    for (int64_t i = 0; i < channels; ++i) {
      for (int64_t t = 0; t < n_taps; ++t) {
        to[i * n_taps + t] = stencil_sum[t * c + i];
      }
    }
    unpack_product(product_sum, stage.in(), 0, 0, gradients[at + 1]);
  } else if (stage.kind == StageKind::Halving) {
    unpack_product(product_sum, stage.in(), 0, 0, gradients[at]);
    unpack_product(product_sum, stage.in(), gradients[at].size(0), c, gradients[at + 1]);
  }
}

template struct MixedOpPlan<float>;
template struct MixedOpPlan<double>;

}  // namespace retia::kernels
