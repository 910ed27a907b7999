#include "retia/kernels/stencil/numbers.h"

#include <c10/core/impl/alloc_cpu.h>

#include <algorithm>

namespace retia::kernels {

template <class T>
Numbers<T> Numbers<T>::unset(int64_t n) {
  Numbers numbers;
  if (n > 0) {
    numbers.data_ = std::shared_ptr<T>(
        static_cast<T*>(c10::alloc_cpu(static_cast<size_t>(n) * sizeof(T))), &c10::free_cpu);
  }
  return numbers;
}

template <class T>
Numbers<T>::Numbers(int64_t n) : Numbers(unset(n)) {
  std::fill_n(get(), n, T(0));
}

template class Numbers<float>;
template class Numbers<double>;

}  // namespace retia::kernels
