#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace retia::kernels {

/// Returns the dtype in which a fused operation reads x. Under autocast: float32 on the CPU, where
/// fused operations in float32 are faster than ATen's in bfloat16, and autocast's dtype on a GPU.
/// Without autocast, and for float64 and integers: the dtype of x.
at::ScalarType dtype_read(const at::Tensor& x);

/// Returns x in the dtype dtype_read(x).
inline at::Tensor autocast(const at::Tensor& x) { return x.to(dtype_read(x)); }

/// Switches autocast off in this thread while the object lives: operations compute in the dtypes of
/// their arguments.
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

}  // namespace retia::kernels
