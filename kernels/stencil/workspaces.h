#pragma once

#include <ATen/Parallel.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace retia::kernels::cpu {

/// Pixels whose depthwise results stay in the first cache until their product is done.
constexpr int64_t kBlock = 64;

/// Images are summed in this many runs, whatever the number of threads, so that the sums have the
/// same bits.
constexpr int64_t kRuns = 16;

/// The scratch memories of all threads, made at first use and kept from sweep to sweep.
template <class Plan, class Scratch>
class Workspaces {
 public:
  explicit Workspaces(const Plan& plan)
      : plan_(plan), scratch_(static_cast<size_t>(at::get_num_threads())) {}

  /// Returns the calling thread's.
  const Scratch& mine() {
    std::unique_ptr<Scratch>& scratch = scratch_.at(static_cast<size_t>(at::get_thread_num()));
    if (!scratch) {
      scratch = std::make_unique<Scratch>(plan_);
    }
    return *scratch;
  }

 private:
  const Plan& plan_;
  std::vector<std::unique_ptr<Scratch>> scratch_;
};

}  // namespace retia::kernels::cpu
