#pragma once

#include <ATen/Parallel.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace retia::kernels::cpu {

/// The number of pixels of a block, whose depthwise results stay in the first-level cache until the
/// pointwise product has read them.
constexpr int64_t kBlock = 64;

/// The number of runs of images whose gradients of weights are summed apart, whatever the number of
/// threads, so that the sums have the same bits.
constexpr int64_t kRuns = 16;

/// The scratch memory of each thread, allocated at first use and kept from sweep to sweep. Scratch
/// is made of a plan, which outlives the object.
template <class Plan, class Scratch>
class Workspaces {
 public:
  explicit Workspaces(const Plan& plan)
      : plan_(plan), scratch_(static_cast<size_t>(at::get_num_threads())) {}

  /// Returns the scratch memory of the calling thread.
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
