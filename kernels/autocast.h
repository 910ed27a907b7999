#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace retia::kernels {

/// The dtype in which a fused operation reads x. Under autocast that is float32 on the CPU, where
/// fused operations in float32 beat ATen's in bfloat16, and the lower dtype on a GPU; else, and for
/// float64, that of x.
at::ScalarType dtype_read(const at::Tensor& x);

/// x in that dtype.
inline at::Tensor autocast(const at::Tensor& x) { return x.to(dtype_read(x)); }

/// While it lives, operations compute in the dtypes of their arguments.
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

}  // namespace retia::kernels
