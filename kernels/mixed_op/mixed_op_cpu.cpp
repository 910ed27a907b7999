#include "retia/kernels/mixed_op/mixed_op_on_device.h"

namespace retia::kernels {

TORCH_LIBRARY_IMPL(retia, CPU, library) {
  MixedOpsOnDevice<&cpu::mixed_ops_forward, &cpu::mixed_ops_backward>::add_to(library);
}

}  // namespace retia::kernels
