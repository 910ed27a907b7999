#pragma once

#include "retia/kernels/mixed_op/mixed_op_plan.h"
#include "retia/kernels/mixed_op/mixed_op_workspace.h"

namespace retia::kernels::cpu {

// The steps of one image through one stage, forward and back. They stand together because the
// backward pass makes again what the forward pass does not keep: tiles, stencils and pools.

/// Brings x into the tile that the convolutions read.
template <class T>
void fill_rectified(const MixedOpPlan<T>& plan, const T* x, const Workspace<T>& w);

/// Brings x into the tiles that the pools among `stages` read.
template <class T>
void fill_for_pools(const MixedOpPlan<T>& plan, const std::vector<int64_t>& stages, const T* x,
                    const Workspace<T>& w);

/// Brings the output y of a first stage, normalised, into the tile that the second ones read. mean:
/// mean and 1/deviation of y, [2, c].
template <class T>
void fill_second(const MixedOpPlan<T>& plan, const T* y, const T* mean, const Workspace<T>& w);

/// y: the pool of x; prefetch: what comes next.
template <class T>
void run_pool(const MixedOpPlan<T>& plan, const Stage<T>& stage, T* y, const Prefetch<T>& prefetch,
              const Workspace<T>& w);

/// A stage of one image: y is its output before normalisation; moments: centre, sum and sum of
/// squares about the centre, [3, c]; prefetch: what comes next.
template <class T>
void run_stage(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, T* y, T* moments,
               Prefetch<T> prefetch, const Workspace<T>& w);

/// Sums of one run of images that become gradients of weights.
template <class T>
struct WeightSums {
  T* stencil = nullptr;  ///< [taps, c]
  T* product = nullptr;  ///< [c, in]
};

/// Adds one image's gradient of what a convolution or halving reads to `to` (unless null; a stage
/// that reads a stage is its only reader, and sets it), and of its weights to `sums` (likewise). g
/// is the gradient behind the normalisation; prefetch: what comes next.
template <class T>
void stage_gradient(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, const T* g,
                    const T* coefficients, const T* y, const WeightSums<T>& sums, T* to,
                    Prefetch<T> prefetch, const BackwardWorkspace<T>& w);

/// Adds the gradient of one image x through a pool to w.pools_in; g: behind the normalisation, of
/// each branch that ends in it; coefficients: of these, of y, and a shift, [branches + 2, c]; y:
/// what run_pool made.
template <class T>
void pool_gradient(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* x,
                   std::vector<const T*> g, const T* coefficients, const T* y,
                   const BackwardWorkspace<T>& w);

}  // namespace retia::kernels::cpu
