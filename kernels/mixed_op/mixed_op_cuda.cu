#include "retia/kernels/each_on_gpu.cuh"
#include "retia/kernels/mixed_op/mixed_op_kernels.cuh"

namespace retia::kernels::cuda {

RETIA_EACH_STORED(Stencils)
RETIA_EACH_STORED(Halved)
RETIA_EACH_STORED(MomentsOf)
RETIA_EACH_STORED(Blend)
RETIA_EACH_STORED(Correlations)
RETIA_EACH_STORED(NormalisedBack)
RETIA_EACH_STORED(ThroughDepthwise)
RETIA_EACH_STORED(DepthwiseWeightsOf)
RETIA_EACH_STORED(IntoInput)
RETIA_EACH_SUMMED(Normalisers)
RETIA_EACH_SUMMED(BlendBack)

}  // namespace retia::kernels::cuda
