#include "retia/kernels/threads.h"

#include <ATen/Parallel.h>

#ifndef INTRA_OP_PARALLEL
#error "compile this file with OpenMP: without it at::parallel_for is a serial loop"
#endif

namespace retia::kernels {

int64_t threads_for_a_loop() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

void on_threads(int64_t n_threads, c10::function_ref<void(int64_t)> body) {
  at::parallel_for(0, n_threads, 1, [&](int64_t thread, int64_t end) {
    for (; thread < end; ++thread) {
      body(thread);
    }
  });
}

}  // namespace retia::kernels
