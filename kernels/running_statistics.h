#pragma once

#include <ATen/core/Tensor.h>

namespace retia::kernels {

/// Moves running means and variances towards those of a batch, by BatchNorm's formula with the
/// unbiased variance: r ← (1 - momentum) · r + momentum · b.
///
/// running: mean and variance [C] of each normalisation in turn, contiguous float32 or float64.
/// batch: [normalisations, 3, C], contiguous: count, mean and sum of squares about the mean, in
/// float64 on the CPU and in the dtype of `running` on a GPU, as fused operations return them.
/// As in ATen's batch_norm, autograd does not see that `running` changes. The torch operator is
/// `retia::move_running_`.
void move_running(at::TensorList running, const at::Tensor& batch, double momentum);

/// Throws unless the arguments are as move_running() says.
void check_move_running(at::TensorList running, const at::Tensor& batch);

}  // namespace retia::kernels
