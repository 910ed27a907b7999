#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kernels/conv_norm/conv_norm_cuda.h"

namespace retia::kernels::cuda {
namespace {

constexpr int kThreads = 256;

template <class Body>
__global__ void __launch_bounds__(kThreads) conv_norm_pass(Body body, int n) {
  const int64_t i = int64_t{kThreads} * blockIdx.x + threadIdx.x;
  if (i < n) {
    body(static_cast<int>(i));
  }
}

}  // namespace

template <class Body>
void launch(const Body& body, int n, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((int64_t{n} + kThreads - 1) / kThreads);
  conv_norm_pass<<<blocks, kThreads, 0, stream>>>(body, n);
}

#define RETIA_LAUNCH(Body) template void launch(const Body&, int, cudaStream_t);
#define RETIA_LAUNCH_STORED(T)      \
  RETIA_LAUNCH(Depthwise<T>)        \
  RETIA_LAUNCH(DepthwiseBack<T>)    \
  RETIA_LAUNCH(DepthwiseWeights<T>) \
  RETIA_LAUNCH(MaxPool<T>)          \
  RETIA_LAUNCH(MaxPoolBack<T>)      \
  RETIA_LAUNCH(AveragePool<T>)      \
  RETIA_LAUNCH(AveragePoolBack<T>)  \
  RETIA_LAUNCH(Moments<T>)          \
  RETIA_LAUNCH(Normalise<T>)        \
  RETIA_LAUNCH(Correlate<T>)        \
  RETIA_LAUNCH(NormaliseBack<T>)
#define RETIA_LAUNCH_SUMMED(S) \
  RETIA_LAUNCH(JoinMoments<S>) \
  RETIA_LAUNCH(JoinSums<S>)    \
  RETIA_LAUNCH(Normaliser<S>)  \
  RETIA_LAUNCH(Coefficients<S>)

RETIA_LAUNCH_STORED(float)
RETIA_LAUNCH_STORED(double)
RETIA_LAUNCH_STORED(__half)
RETIA_LAUNCH_STORED(__nv_bfloat16)
RETIA_LAUNCH_SUMMED(float)
RETIA_LAUNCH_SUMMED(double)

}  // namespace retia::kernels::cuda
