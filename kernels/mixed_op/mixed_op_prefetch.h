#pragma once

#include <vector>

#include "retia/kernels/mixed_op/mixed_op_plan.h"

namespace retia::kernels::cpu {

/// Adds an array that will be read or written soon; leaves it out where there is no room, which
/// costs nothing but time.
template <class T>
void add_array(Prefetch<T>& prefetch, const T* array) {
  if (prefetch.n < Prefetch<T>::kMost) {
    prefetch.arrays[prefetch.n++] = array;
  }
}

/// Returns what a sweep over images, and in each image over `stages`, reads and writes after
/// stages[k] of image i, up to the next stage with a product. add(prefetch, k, i) adds the arrays
/// that stages[k] of image i reads and writes.
template <class T, class Add>
Prefetch<T> prefetch_after(const MixedOpPlan<T>& plan, const std::vector<int64_t>& stages, size_t k,
                           int64_t i, const Add& add) {
  Prefetch<T> prefetch = {};
  do {
    i += k + 1 == stages.size() ? 1 : 0;
    k = (k + 1) % stages.size();
    if (i == plan.n) {
      break;
    }
    add(prefetch, k, i);
  } while (plan.stages[static_cast<size_t>(stages[k])].is_pool());
  return prefetch;
}

}  // namespace retia::kernels::cpu
