#include <ATen/Dispatch.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include "retia/kernels/on_gpu.h"
#include "retia/kernels/running_statistics.h"
#include "retia/kernels/running_statistics_passes.h"

namespace retia::kernels {
namespace {

void move_on_gpu(at::TensorList running, const at::Tensor& batch, double momentum) {
  check_move_running(running, batch);
  const c10::cuda::CUDAGuard guard(batch.device());
  AT_DISPATCH_FLOATING_TYPES(batch.scalar_type(), "move_running_cuda", [&] {
    move_running_by_passes<OnGpu, scalar_t>(running, batch, momentum);
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) { library.impl("move_running_", &move_on_gpu); }

}  // namespace retia::kernels
