#pragma once

#include <ATen/core/Tensor.h>

#include "retia/engine/distributed/ranks.h"

namespace retia {

/// Normalises the batch x in training by the statistics of all ranks' samples together
/// (SyncBatchNorm), forward and backward. Equals a single rank that computes the whole batch, up to
/// rounding:
///   m = sum x / n,  v = sum x² / n - m²,  y = (x - m) / sqrt(v + epsilon) * weight + bias,
/// with sums (in float64) and n over ranks, samples and positions.
/// `x`: `[b, C, …]`. `weight`, `bias`: `[C]`, or both undefined. `running_mean`, `running_var`:
/// `[C]`, moved by `momentum` towards m and v n / (n - 1), or undefined. Not twice differentiable.
at::Tensor synchronised_batch_norm(const at::Tensor& x, const at::Tensor& weight,
                                   const at::Tensor& bias, const at::Tensor& running_mean,
                                   const at::Tensor& running_var, double momentum, double epsilon,
                                   Ranks& ranks);

}  // namespace retia
