#include "retia/kernels/mixed_op/mixed_op_lanes.h"

// The loops do not differ between instruction sets in what they share: one is compiled for
// ThreadSanitizer, and stands for all.
namespace retia::kernels {

template <class T>
MixedOpLanes<T> mixed_op_lanes_avx2(int64_t channels) {
  return mixed_op_lanes_baseline<T>(channels);
}
template <class T>
MixedOpLanes<T> mixed_op_lanes_avx512(int64_t channels) {
  return mixed_op_lanes_baseline<T>(channels);
}

template MixedOpLanes<float> mixed_op_lanes_avx2(int64_t);
template MixedOpLanes<double> mixed_op_lanes_avx2(int64_t);
template MixedOpLanes<float> mixed_op_lanes_avx512(int64_t);
template MixedOpLanes<double> mixed_op_lanes_avx512(int64_t);

}  // namespace retia::kernels
