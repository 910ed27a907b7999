#include "retia/kernels/each_on_gpu.cuh"
#include "retia/kernels/stencil/bodies.cuh"

namespace retia::kernels::cuda {

RETIA_EACH_SUMMED(JoinMoments)
RETIA_EACH_SUMMED(JoinSums)

}  // namespace retia::kernels::cuda
