#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "retia/kernels/threads.h"

namespace retia::kernels::cpu {

/// Splits `stages`, in their order, into n groups of nearly equal length, or into single stages
/// where there are fewer than n.
inline std::vector<std::vector<int64_t>> groups_of(const std::vector<int64_t>& stages, int64_t n) {
  const auto n_stages = static_cast<int64_t>(stages.size());
  n = std::clamp<int64_t>(n, 1, std::max<int64_t>(n_stages, 1));
  std::vector<std::vector<int64_t>> groups;
  for (int64_t g = 0; g < n; ++g) {
    groups.emplace_back(stages.begin() + n_stages * g / n, stages.begin() + n_stages * (g + 1) / n);
  }
  return groups;
}

/// Returns into how many groups the work on each of n_images has to be split to give every thread
/// at least four tasks, so that threads wait for each other a quarter of their time at worst.
/// Depends on the number of threads: only for groups whose results do not depend on the split.
inline int64_t groups_for_threads(int64_t n_images) {
  constexpr int64_t kTasks = 4;
  const int64_t n_threads = threads_for_a_loop();
  return n_threads == 1 || n_images == 0 ? 1 : (kTasks * n_threads + n_images - 1) / n_images;
}

}  // namespace retia::kernels::cpu
