#include "retia/kernels/parallel.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <limits>

#include "retia/kernels/threads.h"

namespace retia::kernels {
namespace {

constexpr uint64_t kBits = 32;

uint64_t packed(uint64_t first, uint64_t end) { return first << kBits | end; }
uint64_t first_of(uint64_t bounds) { return bounds >> kBits; }
uint64_t end_of(uint64_t bounds) { return bounds & std::numeric_limits<uint32_t>::max(); }

/// Takes a task from the front or the end of a share; -1 if none is left.
int64_t take_from(Tasks::Share& share, bool front) {
  uint64_t bounds = share.bounds.load(std::memory_order_relaxed);
  while (first_of(bounds) < end_of(bounds)) {
    const uint64_t first = first_of(bounds), end = end_of(bounds);
    const uint64_t left = front ? packed(first + 1, end) : packed(first, end - 1);
    if (share.bounds.compare_exchange_weak(bounds, left, std::memory_order_relaxed)) {
      return static_cast<int64_t>(front ? first : end - 1);
    }
  }
  return -1;
}

}  // namespace

int64_t Tasks::take() {
  int64_t task = take_from(shares_[mine_], true);
  for (size_t i = 1; task < 0 && i < shares_.size(); ++i) {
    task = take_from(shares_[(mine_ + i) % shares_.size()], false);
  }
  return task;
}

void parallel_for(int64_t n_tasks, c10::function_ref<void(Tasks&)> body) {
  TORCH_INTERNAL_ASSERT(n_tasks <= std::numeric_limits<uint32_t>::max());
  const int64_t n_threads = std::min(threads_for_a_loop(), n_tasks);
  std::vector<Tasks::Share> shares(static_cast<size_t>(std::max<int64_t>(n_threads, 0)));
  for (int64_t i = 0; i < n_threads; ++i) {
    shares[static_cast<size_t>(i)].bounds =
        packed(static_cast<uint64_t>(n_tasks * i / n_threads),
               static_cast<uint64_t>(n_tasks * (i + 1) / n_threads));
  }
  on_threads(n_threads, [&](int64_t thread) {
    Tasks tasks(shares, static_cast<size_t>(thread));
    body(tasks);
  });
}

}  // namespace retia::kernels
