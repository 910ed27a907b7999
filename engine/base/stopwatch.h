#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>

namespace retia {

/// Waits until all work submitted to `device` is done.
void finish_work(at::Device device);

/// Times work for benchmarks: on one thread of the CPU in processor time, which other load disturbs
/// least; on several threads in time that passes; on a GPU by CUDA events, after a write that
/// evicts the cache.
class Stopwatch {
 public:
  /// Makes a stopwatch for `device`, which is already open.
  explicit Stopwatch(at::Device device);

  /// Returns the seconds that `work` takes. Several threads: at::get_num_threads() > 1. On a GPU:
  /// from its first operation to the end of its last on the current stream, for which this call
  /// waits.
  double seconds_of(const std::function<void()>& work);

 private:
  at::Device device_;
  at::Tensor swept_;  // on a GPU: a buffer larger than its cache, written to evict it
};

}  // namespace retia
