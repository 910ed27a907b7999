#include "retia/kernels/stencil/lanes_impl.h"

namespace retia::kernels {

template <class T>
Lanes<T> lanes_avx2(int64_t channels) {
  return lanes<T>(channels);
}
template Lanes<float> lanes_avx2(int64_t);
template Lanes<double> lanes_avx2(int64_t);

}  // namespace retia::kernels
