#include "retia/kernels/stencil/lanes.h"

// The loops do not differ between instruction sets in what they share: one is compiled for
// ThreadSanitizer, and stands for all.
namespace retia::kernels {

template <class T>
Lanes<T> lanes_avx2(int64_t channels) {
  return lanes_baseline<T>(channels);
}
template <class T>
Lanes<T> lanes_avx512(int64_t channels) {
  return lanes_baseline<T>(channels);
}

template Lanes<float> lanes_avx2(int64_t);
template Lanes<double> lanes_avx2(int64_t);
template Lanes<float> lanes_avx512(int64_t);
template Lanes<double> lanes_avx512(int64_t);

}  // namespace retia::kernels
