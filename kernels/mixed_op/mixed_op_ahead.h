#pragma once

#include <vector>

#include "retia/kernels/mixed_op/mixed_op_plan.h"

namespace retia::kernels::cpu {

/// Adds an array that will be read or written soon. One too many is left out: nothing but time
/// depends on it.
template <class T>
void add_array(Ahead<T>& ahead, const T* array) {
  if (ahead.n < Ahead<T>::kMost) {
    ahead.arrays[ahead.n++] = array;
  }
}

/// What a sweep over images, and in each over `stages`, reads and writes after stages[k] of image
/// i, up to its next stage with a product. add(ahead, k, i) adds what stages[k] of image i does.
template <class T, class Add>
Ahead<T> look_ahead(const Plan<T>& plan, const std::vector<int64_t>& stages, size_t k, int64_t i,
                    const Add& add) {
  Ahead<T> ahead = {};
  do {
    i += k + 1 == stages.size() ? 1 : 0;
    k = (k + 1) % stages.size();
    if (i == plan.n) {
      break;
    }
    add(ahead, k, i);
  } while (plan.stages[static_cast<size_t>(stages[k])].is_pool());
  return ahead;
}

}  // namespace retia::kernels::cpu
