#pragma once

#include "retia/kernels/mixed_op/mixed_op_plan.h"
#include "retia/kernels/mixed_op/mixed_op_workspace.h"

namespace retia::kernels::cpu {

// The steps of one image through one stage, forward and backward. They stand together because the
// backward pass computes again what the forward pass does not save: tiles, stencils and pools.

/// Writes relu(x) into the tile that convolutions read. x: one image.
template <class T>
void fill_rectified(const MixedOpPlan<T>& plan, const T* x, const Workspace<T>& w);

/// Writes x into the tiles that the pools among `stages` read. x: one image.
template <class T>
void fill_for_pools(const MixedOpPlan<T>& plan, const std::vector<int64_t>& stages, const T* x,
                    const Workspace<T>& w);

/// Writes relu of the normalised y into the tile that second stages read. y: output of a first
/// stage before normalisation. mean: mean and 1/deviation of y, [2, c].
template <class T>
void fill_second(const MixedOpPlan<T>& plan, const T* y, const T* mean, const Workspace<T>& w);

/// Computes a pool of one image into y. prefetch: arrays of the next stage.
template <class T>
void run_pool(const MixedOpPlan<T>& plan, const Stage<T>& stage, T* y, const Prefetch<T>& prefetch,
              const Workspace<T>& w);

/// Computes a stage of one image. tile: what the stage reads. y: set to the output before
/// normalisation. moments: set to centre, sum and sum of squares about the centre, [3, c].
/// prefetch: arrays of the next stage.
template <class T>
void run_stage(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, T* y, T* moments,
               Prefetch<T> prefetch, const Workspace<T>& w);

/// The sums of one run of images that become gradients of a stage's weights.
template <class T>
struct WeightSums {
  T* stencil = nullptr;  ///< of the depthwise weights, [taps, c]
  T* product = nullptr;  ///< of the pointwise weights, [c, in]
};

/// Goes back through a convolution or halving of one image. to: the gradient of what the stage
/// reads is added here, or set where the stage reads a stage, whose only reader it is; null: not
/// needed. sums: gradients of weights are added here; null pointers: not needed. g: gradient behind
/// the normalisation. coefficients: of g, of y, and a shift, [3, c]. y: output of the stage before
/// normalisation. prefetch: arrays of the next stage.
template <class T>
void stage_gradient(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, const T* g,
                    const T* coefficients, const T* y, const WeightSums<T>& sums, T* to,
                    Prefetch<T> prefetch, const BackwardWorkspace<T>& w);

/// Adds the gradient of one image x through a pool to w.pools_in. g: gradients behind the
/// normalisation, one per branch that ends in the pool. coefficients: of each g, of y, and a shift,
/// [branches + 2, c]. y: result of run_pool.
template <class T>
void pool_gradient(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* x,
                   std::vector<const T*> g, const T* coefficients, const T* y,
                   const BackwardWorkspace<T>& w);

}  // namespace retia::kernels::cpu
