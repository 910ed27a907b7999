#include "retia/kernels/mixed_op/mixed_op_stage.h"

#include <algorithm>

namespace retia::kernels::cpu {
namespace {

constexpr int32_t kHere = 0;  // the one tap of a pointwise product

/// Returns the offsets of the pixels of a block of depthwise results.
template <class T>
const int32_t* rows_of(const Stage<T>& stage, const Workspace<T>& w) {
  return stage.kind == StageKind::Halving ? w.wide.data() : stage.geometry->flat.data();
}

/// Computes the stencil of outputs [p, p + n) into w.depthwise.
template <class T>
void run_stencil(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, int64_t p,
                 int64_t n, const Workspace<T>& w) {
  const Geometry& g = *stage.geometry;
  const int32_t* const from = g.centres.data() + p;
  if (stage.kind == StageKind::Halving) {
    for (const int64_t odd : {0, 1}) {
      const auto shift = static_cast<int32_t>(odd * (g.in.row() + plan.c));
      plan.lanes.stencil(tile, from, &shift, 1, stage.stencil.get(), w.depthwise + odd * plan.c,
                         w.wide.data(), n, plan.c);
    }
  } else {
    plan.lanes.stencil(tile, from, stage.taps.data(), static_cast<int64_t>(stage.taps.size()),
                       stage.stencil.get(), w.depthwise.get(), g.flat.data(), n, plan.c);
  }
}

}  // namespace

template <class T>
void fill_rectified(const MixedOpPlan<T>& plan, const T* x, const Workspace<T>& w) {
  plan.lanes.rectify(x, w.ones.get(), w.zeros.get(), w.rectified.get(), plan.first.in_write.data(),
                     plan.first.n_in, plan.c);
}

template <class T>
void fill_for_pools(const MixedOpPlan<T>& plan, const std::vector<int64_t>& stages, const T* x,
                    const Workspace<T>& w) {
  for (const int64_t s : stages) {
    const Stage<T>& stage = plan.stages[static_cast<size_t>(s)];
    if (stage.is_pool()) {
      const bool largest = stage.kind == StageKind::MaxPool;
      plan.lanes.copy(x, largest ? w.lowest.get() : w.bordered.get(), plan.first.in_write.data(),
                      plan.first.n_in, plan.c);
    }
  }
}

template <class T>
void fill_second(const MixedOpPlan<T>& plan, const T* y, const T* mean, const Workspace<T>& w) {
  for (int64_t k = 0; k < plan.c; ++k) {
    w.shift[k] = -mean[k] * mean[plan.c + k];
  }
  plan.lanes.rectify(y, mean + plan.c, w.shift.get(), w.second.get(), plan.second.in_write.data(),
                     plan.second.n_in, plan.c);
}

template <class T>
void run_pool(const MixedOpPlan<T>& plan, const Stage<T>& stage, T* y, const Prefetch<T>& prefetch,
              const Workspace<T>& w) {
  const Geometry& g = plan.first;
  const int32_t* const from = g.centres.data();
  const int32_t* const taps = stage.taps.data();
  if (stage.kind == StageKind::AveragePool) {
    plan.lanes.stencil(w.bordered.get(), from, taps, kPoolTaps, stage.stencil.get(), y,
                       g.flat.data(), g.n_out, plan.c);
    plan.lanes.scale(y, w.shares.get(), y, g.flat.data(), g.n_out, plan.c);
  } else {
    plan.lanes.maximum(w.lowest.get(), from, taps, y, g.n_out, plan.c, prefetch);
  }
}

template <class T>
void run_stage(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, T* y, T* moments,
               Prefetch<T> prefetch, const Workspace<T>& w) {
  const Geometry& g = *stage.geometry;
  const int64_t c = plan.c;
  if (stage.is_pool()) {
    run_pool(plan, stage, y, {}, w);
  }
  for (int64_t p = 0; p < g.n_out; p += kBlock) {
    const int64_t n = std::min(kBlock, g.n_out - p);
    if (!stage.is_pool()) {
      prefetch.at = p * c;
      run_stencil(plan, stage, tile, p, n, w);
      plan.lanes.product(w.depthwise.get(), rows_of(stage, w), &kHere, 1, stage.in(),
                         stage.product.get(), c, y + p * c, g.flat.data(), n, prefetch);
    }
    if (p == 0) {
      std::copy_n(y, c, moments);
    }
    plan.lanes.add_moments(y + p * c, moments, n, c, moments + c, moments + 2 * c);
  }
}

template <class T>
void stage_gradient(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* tile, const T* g,
                    const T* coefficients, const T* y, const WeightSums<T>& sums, T* to,
                    Prefetch<T> prefetch, const BackwardWorkspace<T>& w) {
  const Geometry& geometry = *stage.geometry;
  const int64_t c = plan.c;
  const bool halving = stage.kind == StageKind::Halving;
  T* const bordered = stage.source < 0 ? w.first_out.get() : w.second_out.get();
  for (int64_t p = 0; p < geometry.n_out; p += kBlock) {
    const int64_t n = std::min(kBlock, geometry.n_out - p);
    prefetch.at = p * c;
    plan.lanes.affine(g + p * c, nullptr, coefficients, y + p * c, coefficients + c,
                      coefficients + 2 * c, w.before.get(), n, c);
    if (sums.product != nullptr) {
      run_stencil(plan, stage, tile, p, n, w);
      plan.lanes.add_outer(w.before.get(), c, w.depthwise.get(), rows_of(stage, w), stage.in(), n,
                           sums.product, stage.in());
    }
    if (!halving) {
      plan.lanes.product(w.before.get(), geometry.flat.data(), &kHere, 1, c, stage.product.get(), c,
                         bordered, geometry.out_write.data() + p, n, prefetch);
    } else if (to != nullptr) {
      plan.lanes.product(w.before.get(), geometry.flat.data(), &kHere, 1, c, stage.product.get(),
                         2 * c, w.product.get(), w.wide.data(), n, prefetch);
      for (const int64_t odd : {0, 1}) {
        plan.lanes.add_to(w.product + odd * c, 2 * c, to + odd * (geometry.in.row() + c),
                          geometry.centres.data() + p, n, c);
      }
    }
  }
  if (halving) {
    return;
  }
  if (sums.stencil != nullptr) {
    const int64_t reach = stage.kernel / 2 * stage.dilation;
    plan.lanes.add_stencil_weights(tile - reach * (geometry.in.row() + c), geometry.centres.data(),
                                   stage.dilation * geometry.in.row(), stage.dilation * c, bordered,
                                   geometry.out_read.data(), geometry.n_out, c, stage.kernel,
                                   sums.stencil);
  }
  if (to != nullptr) {
    for (size_t i = 0; i < geometry.phases.size(); ++i) {
      const Phase& phase = geometry.phases[i];
      const PhaseTaps<T>& through = stage.through[i];
      if (!through.taps.empty()) {
        const auto put = stage.source < 0 ? plan.lanes.add_stencil : plan.lanes.stencil;
        put(bordered, phase.from.data(), through.taps.data(),
            static_cast<int64_t>(through.taps.size()), through.weights.get(), to, phase.to.data(),
            phase.n, c);
      }
    }
  }
}

template <class T>
void pool_gradient(const MixedOpPlan<T>& plan, const Stage<T>& stage, const T* x,
                   std::vector<const T*> g, const T* coefficients, const T* y,
                   const BackwardWorkspace<T>& w) {
  const Geometry& geometry = plan.first;
  const int64_t c = plan.c;
  g.push_back(y);
  const auto n_terms = static_cast<int64_t>(g.size());
  plan.lanes.blend(g.data(), coefficients, n_terms, coefficients + n_terms * c, w.before.get(),
                   geometry.n_out, c);
  if (stage.kind == StageKind::MaxPool) {
    plan.lanes.copy(x, w.lowest.get(), geometry.in_write.data(), geometry.n_in, c);
    plan.lanes.add_at_maxima(w.before.get(), y, w.lowest.get(), geometry.centres.data(),
                             stage.taps.data(), w.pools_in.get(), geometry.n_out, c);
    return;
  }
  plan.lanes.scale(w.before.get(), w.shares.get(), w.first_out.get(), geometry.out_write.data(),
                   geometry.n_out, c);
  for (size_t i = 0; i < geometry.phases.size(); ++i) {
    const Phase& phase = geometry.phases[i];
    const PhaseTaps<T>& through = stage.through[i];
    plan.lanes.add_stencil(w.first_out.get(), phase.from.data(), through.taps.data(),
                           static_cast<int64_t>(through.taps.size()), through.weights.get(),
                           w.pools_in.get(), phase.to.data(), phase.n, c);
  }
}

template void fill_rectified(const MixedOpPlan<float>&, const float*, const Workspace<float>&);
template void fill_for_pools(const MixedOpPlan<float>&, const std::vector<int64_t>&, const float*,
                             const Workspace<float>&);
template void fill_second(const MixedOpPlan<float>&, const float*, const float*,
                          const Workspace<float>&);
template void run_pool(const MixedOpPlan<float>&, const Stage<float>&, float*,
                       const Prefetch<float>&, const Workspace<float>&);
template void run_stage(const MixedOpPlan<float>&, const Stage<float>&, const float*, float*,
                        float*, Prefetch<float>, const Workspace<float>&);
template void stage_gradient(const MixedOpPlan<float>&, const Stage<float>&, const float*,
                             const float*, const float*, const float*, const WeightSums<float>&,
                             float*, Prefetch<float>, const BackwardWorkspace<float>&);
template void pool_gradient(const MixedOpPlan<float>&, const Stage<float>&, const float*,
                            std::vector<const float*>, const float*, const float*,
                            const BackwardWorkspace<float>&);

template void fill_rectified(const MixedOpPlan<double>&, const double*, const Workspace<double>&);
template void fill_for_pools(const MixedOpPlan<double>&, const std::vector<int64_t>&, const double*,
                             const Workspace<double>&);
template void fill_second(const MixedOpPlan<double>&, const double*, const double*,
                          const Workspace<double>&);
template void run_pool(const MixedOpPlan<double>&, const Stage<double>&, double*,
                       const Prefetch<double>&, const Workspace<double>&);
template void run_stage(const MixedOpPlan<double>&, const Stage<double>&, const double*, double*,
                        double*, Prefetch<double>, const Workspace<double>&);
template void stage_gradient(const MixedOpPlan<double>&, const Stage<double>&, const double*,
                             const double*, const double*, const double*, const WeightSums<double>&,
                             double*, Prefetch<double>, const BackwardWorkspace<double>&);
template void pool_gradient(const MixedOpPlan<double>&, const Stage<double>&, const double*,
                            std::vector<const double*>, const double*, const double*,
                            const BackwardWorkspace<double>&);

}  // namespace retia::kernels::cpu
