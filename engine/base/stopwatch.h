#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>

namespace retia {

/// Waits until all work submitted to `device` is done.
void finish_work(at::Device device);

/// Times work for benchmarks. On one thread of the CPU it measures processor time, which other load
/// on the machine disturbs least, on several threads the time that passes; on a GPU it measures by CUDA events, each time after a write that evicts
/// the cache.
class Stopwatch {
 public:
  /// Makes a stopwatch for `device`, which is already open.
  explicit Stopwatch(at::Device device);

  /// Returns the seconds that `work` takes. On one thread of the CPU: processor time of this process;
  /// on several (at::get_num_threads() > 1): time that passes. On a GPU: from the first operation to the end of the last on the current stream,
  /// which this call waits for.
  double seconds_of(const std::function<void()>& work);

 private:
  at::Device device_;
  at::Tensor swept_;  // on a GPU: a buffer larger than its cache, written to evict it
};

}  // namespace retia
