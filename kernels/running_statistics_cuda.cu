#include "retia/kernels/each_on_gpu.cuh"
#include "retia/kernels/running_statistics_kernels.cuh"

namespace retia::kernels::cuda {

RETIA_EACH_SUMMED(MoveRunning)

}  // namespace retia::kernels::cuda
