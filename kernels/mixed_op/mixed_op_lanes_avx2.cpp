#include "retia/kernels/mixed_op/mixed_op_lanes_impl.h"

namespace retia::kernels {

template <class T>
MixedOpLanes<T> mixed_op_lanes_avx2(int64_t channels) {
  return lanes<T>(channels);
}
template MixedOpLanes<float> mixed_op_lanes_avx2(int64_t);
template MixedOpLanes<double> mixed_op_lanes_avx2(int64_t);

}  // namespace retia::kernels
