#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "retia/kernels/running_statistics_kernels.cuh"

namespace retia::kernels {

/// Computes move_running() as passes, each of which `Runner::each(body, n)` runs. S: the dtype of
/// `running` and `batch`.
template <class Runner, class S>
void move_running_by_passes(at::TensorList running, const at::Tensor& batch, double momentum) {
  using Move = cuda::MoveRunning<S>;
  const auto c = static_cast<int>(batch.size(2));
  const int64_t n_norms = batch.size(0);
  for (int64_t first = 0; first < n_norms; first += Move::kMost) {
    const int64_t n = std::min<int64_t>(Move::kMost, n_norms - first);
    Move move = {c, batch.const_data_ptr<S>() + first * 3 * c, static_cast<S>(momentum), {}, {}};
    for (int64_t i = 0; i < n; ++i) {
      const auto mean = static_cast<size_t>(2 * (first + i));
      move.means[i] = running[mean].mutable_data_ptr<S>();
      move.variances[i] = running[mean + 1].mutable_data_ptr<S>();
    }
    Runner::each(move, n * c);
  }
}

}  // namespace retia::kernels
