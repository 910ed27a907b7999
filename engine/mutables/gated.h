#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace retia {

/// Returns `output`, the result of the only open candidate, with the gradient of the gated sum y =
/// sum_k g_k o_k(x), where the gates g are one-hot at `open`:
///   dL/dg_k = <dL/dy, o_k(x)>.
/// The closed candidates run in the backward pass only, one after the other and without an autograd
/// graph, so that memory holds one path (Cai, Zhu and Han, "ProxylessNAS", ICLR 2019).
///
/// `output`: o_open(x). `gates`: `[n candidates]`. `run(k)` returns o_k(x); called for closed
/// candidates, and only when the gates need a gradient.
at::Tensor gated(const at::Tensor& output, int64_t open, const at::Tensor& gates,
                 std::function<at::Tensor(int64_t k)> run);

}  // namespace retia
