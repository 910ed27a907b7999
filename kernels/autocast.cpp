#include "retia/kernels/autocast.h"

#include <ATen/autocast_mode.h>

namespace retia::kernels {

at::ScalarType dtype_read(const at::Tensor& x) {
  const at::DeviceType device = x.device().type();
  if (!x.is_floating_point() || x.scalar_type() == at::kDouble ||
      !at::autocast::is_autocast_enabled(device)) {
    return x.scalar_type();
  }
  return device == at::kCPU ? at::kFloat : at::autocast::get_autocast_dtype(device);
}

}  // namespace retia::kernels
