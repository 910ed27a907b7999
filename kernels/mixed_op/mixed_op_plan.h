#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/stencil/geometry.h"
#include "retia/kernels/stencil/lanes.h"

namespace retia::kernels {

/// What ends in one normalisation: relu, stencil and pointwise product, or a pool.
template <class T>
struct Stage {
  StageKind kind;
  int64_t kernel, dilation;
  int64_t source;        ///< the stage whose normalised output it reads, or -1: x
  int64_t place;         ///< among the stages whose outputs are kept, or among the pools
  int64_t first_weight;  ///< its place in the list of weights
  const Geometry* geometry;
  std::vector<int64_t> branches;  ///< those whose last stage it is: none, one, or a pool's
  std::vector<int64_t> norms;     ///< as many, or one; their places in the list of normalisations

  Offsets taps;
  Numbers<T> stencil;                 ///< [taps, c]
  Numbers<T> product;                 ///< [in, c] forward, [c, in] backward
  std::vector<PhaseTaps<T>> through;  ///< backward: one a phase

  int64_t in() const { return kind == StageKind::Halving ? 2 * geometry->in.c : geometry->in.c; }
  bool is_pool() const { return kind == StageKind::MaxPool || kind == StageKind::AveragePool; }
};

/// All that a pass needs to know before it sees a number of x.
template <class T>
struct MixedOpPlan {
  MixedOpPlan(const at::Tensor& x, at::TensorList weights, const MixedOpOptions& options, Way way);
  MixedOpPlan(const MixedOpPlan&) = delete;
  MixedOpPlan& operator=(const MixedOpPlan&) = delete;

  int64_t n, channels;
  int64_t c;  ///< channels rounded up to whole vectors; those added stay zero
  Geometry first, second;
  std::vector<Stage<T>> stages;
  std::vector<MixedEdge> edges;
  std::vector<int64_t> edge_of;     ///< of each branch
  std::vector<int64_t> last_stage;  ///< of each branch; -1: the identity
  int64_t n_kept = 0, n_pools = 0;
  Lanes<T> lanes;

  /// The stages that read x, or those that read stages.
  std::vector<int64_t> stages_on(bool on_x) const;

  /// Sets the gradients of the stage's weights to what was summed as [taps, c] and [c, in].
  void unpack(const Stage<T>& stage, const T* stencil_sum, const T* product_sum,
              const std::vector<at::Tensor>& gradients) const;

 private:
  /// The stages of a branch whose weights and normalisations begin there; returns its last.
  int64_t add_branch(MixedBranch branch, int64_t weight, int64_t norm);
  /// Returns where it is.
  int64_t add_stage(const BranchStage& of, int64_t source, int64_t first_weight, int64_t norm);
  /// Brings the weights of a stage into the order in which its loops read them. weights:
  /// contiguous.
  void pack(Stage<T>& stage, at::TensorList weights, Way way) const;
  /// The pool of that kind that is there already, or -1.
  int64_t find_pool(StageKind kind) const;
};

}  // namespace retia::kernels
