#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/stencil/geometry.h"
#include "retia/kernels/stencil/lanes.h"

namespace retia::kernels {

/// A stage of a branch, which ends in one normalisation: relu, stencil and pointwise product, or a
/// pool.
template <class T>
struct Stage {
  StageKind kind;            ///< computation before batch normalisation
  int64_t kernel, dilation;  ///< size of the kernel, distance between the pixels that it reads
  int64_t source;            ///< stage whose normalised output is read; -1: x
  int64_t place;             ///< place among the stages whose outputs are saved, or among the pools
  int64_t first_weight;      ///< place of the first weight in the list of weights
  const Geometry* geometry;  ///< tiles of what is read and made
  /// Branches whose last stage this is: none, one, or all with this pool.
  std::vector<int64_t> branches;
  /// Places in the list of normalisations: one, or one per branch of a pool.
  std::vector<int64_t> norms;

  Offsets taps;                       ///< offsets of the taps in the tile of inputs
  Numbers<T> stencil;                 ///< depthwise weights, [taps, c]
  Numbers<T> product;                 ///< pointwise weights, [in, c] forward, [c, in] backward
  std::vector<PhaseTaps<T>> through;  ///< backward: taps to each phase

  /// Returns the number of channels that the pointwise product reads.
  int64_t in() const { return kind == StageKind::Halving ? 2 * geometry->in.c : geometry->in.c; }
  /// Returns whether the stage is a pool, which has no weights.
  bool is_pool() const { return kind == StageKind::MaxPool || kind == StageKind::AveragePool; }
};

/// The plan of a pass of mixed_ops: everything that can be computed before a number of x is read.
template <class T>
struct MixedOpPlan {
  MixedOpPlan(const at::Tensor& x, at::TensorList weights, const MixedOpOptions& options, Way way);
  MixedOpPlan(const MixedOpPlan&) = delete;
  MixedOpPlan& operator=(const MixedOpPlan&) = delete;

  int64_t n, channels;              ///< images of x, channels of x
  int64_t c;                        ///< channels rounded up to whole vectors; those added stay zero
  Geometry first, second;           ///< of stages that read x, of stages that read stages
  std::vector<Stage<T>> stages;     ///< all stages; a stage follows the one that it reads
  std::vector<MixedEdge> edges;     ///< ranges of each edge
  std::vector<int64_t> edge_of;     ///< edge of each branch
  std::vector<int64_t> last_stage;  ///< last stage of each branch; -1: the identity
  int64_t n_kept = 0, n_pools = 0;  ///< stages whose outputs are saved, pools
  Lanes<T> lanes;                   ///< loops for c channels

  /// Returns the stages that read x if `on_x`, otherwise the stages that read stages.
  std::vector<int64_t> stages_on(bool on_x) const;

  /// Sets the gradients of a stage's weights. stencil_sum: [taps, c]. product_sum: [c, in].
  void unpack(const Stage<T>& stage, const T* stencil_sum, const T* product_sum,
              const std::vector<at::Tensor>& gradients) const;

 private:
  /// Adds the stages of a branch whose weights and normalisations begin at `weight` and `norm`.
  /// Returns the last of them; -1: the branch is the identity.
  int64_t add_branch(MixedBranch branch, int64_t weight, int64_t norm);
  /// Adds a stage. Returns its index in `stages`.
  int64_t add_stage(const BranchStage& of, int64_t source, int64_t first_weight, int64_t norm);
  /// Packs the weights of a stage in the order in which its loops read them. weights: all weights,
  /// contiguous.
  void pack(Stage<T>& stage, at::TensorList weights, Way way) const;
  /// Returns the stage that is a pool of this kind; -1: there is none yet.
  int64_t find_pool(StageKind kind) const;
};

}  // namespace retia::kernels
