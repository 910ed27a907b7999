#pragma once

#include <ATen/core/Tensor.h>

#include "engine/distributed/ranks.h"

namespace retia {

/// Batch normalisation of x in training by the statistics of all ranks' samples together, forward
/// and backward: what one rank computes on the whole batch, to rounding.
///   m = sum x / n,  v = sum x² / n - m²,  y = (x - m) / sqrt(v + epsilon) * weight + bias,
/// the sums, in float64, and n being over ranks, samples and places. x: `[b, C, …]`; weight, bias:
/// `[C]`, or both undefined; running_mean, running_var: `[C]`, which move by `momentum` towards m
/// and v n / (n - 1), or undefined. Not differentiable twice.
at::Tensor synchronised_batch_norm(const at::Tensor& x, const at::Tensor& weight,
                                   const at::Tensor& bias, const at::Tensor& running_mean,
                                   const at::Tensor& running_var, double momentum, double epsilon,
                                   Ranks& ranks);

}  // namespace retia
