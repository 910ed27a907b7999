#pragma once

#include <c10/util/FunctionRef.h>

#include <cstdint>

namespace retia::kernels {

/// Returns the number of threads that a loop started here may use: at::get_num_threads(), or 1
/// inside a parallel region.
int64_t threads_for_a_loop();

/// Calls body(thread) for threads 0 to n_threads - 1, each on a thread of its own as far as
/// LibTorch's OpenMP runtime has them free. Throws the first exception of a body after all have
/// ended.
void on_threads(int64_t n_threads, c10::function_ref<void(int64_t)> body);

}  // namespace retia::kernels
