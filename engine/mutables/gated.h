#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace retia {

/// The output of the one open candidate of a choice, which is y = sum_k g_k o_k(x) for gates g of
/// which one is 1 and the others 0, with the gradient that this sum has:
///   dL/dg_k = <dL/dy, o_k(x)>.
/// The closed candidates run in the backward pass, one after the other and without a graph, so that
/// memory holds one path (Cai, Zhu and Han, "ProxylessNAS", ICLR 2019).
///
/// output: o_open(x). gates: `[n candidates]`. run(k): o_k(x), asked for closed candidates when the
/// gradient of the gates is.
at::Tensor gated(const at::Tensor& output, int64_t open, const at::Tensor& gates,
                 std::function<at::Tensor(int64_t k)> run);

}  // namespace retia
