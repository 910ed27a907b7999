#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>

namespace retia {

/// Waits until all work that was given to `device` is done.
void finish_work(at::Device device);

/// Times work for benchmarks: on the CPU by processor time, which neighbours on the machine
/// lengthen least, on a GPU by its own events, each time behind a write that leaves nothing in its
/// cache.
class Stopwatch {
 public:
  /// device: one that is open.
  explicit Stopwatch(at::Device device);

  /// Seconds that `work` takes: of all threads of this process on the CPU; on a GPU from its first
  /// operation to the end of its last, on the present stream, for which it waits.
  double seconds_of(const std::function<void()>& work);

 private:
  at::Device device_;
  at::Tensor swept_;  // on a GPU, larger than its cache
};

}  // namespace retia
