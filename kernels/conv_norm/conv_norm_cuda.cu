#include "retia/kernels/conv_norm/conv_norm_kernels.cuh"
#include "retia/kernels/each_on_gpu.cuh"

namespace retia::kernels::cuda {

RETIA_EACH_STORED(Depthwise)
RETIA_EACH_STORED(DepthwiseBack)
RETIA_EACH_STORED(DepthwiseWeights)
RETIA_EACH_STORED(MaxPool)
RETIA_EACH_STORED(MaxPoolBack)
RETIA_EACH_STORED(AveragePool)
RETIA_EACH_STORED(AveragePoolBack)
RETIA_EACH_STORED(Moments)
RETIA_EACH_STORED(Normalise)
RETIA_EACH_STORED(Correlate)
RETIA_EACH_STORED(NormaliseBack)
RETIA_EACH_SUMMED(Normaliser)
RETIA_EACH_SUMMED(Coefficients)

}  // namespace retia::kernels::cuda
