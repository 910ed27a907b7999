#include <ATen/Parallel.h>

#include <exception>
#include <thread>
#include <vector>

#include "retia/kernels/threads.h"

// The loops of kernels/threads.cpp over std::thread, whose starts and ends ThreadSanitizer knows;
// OpenMP's runtime is not compiled for it, and its barriers would look like none.
namespace retia::kernels {

int64_t threads_for_a_loop() {
  return c10::ParallelGuard::is_enabled() ? 1 : at::get_num_threads();
}

void on_threads(int64_t n_threads, c10::function_ref<void(int64_t)> body) {
  if (n_threads == 1) {
    const at::internal::ThreadIdGuard number(0);
    body(0);
    return;
  }
  std::vector<std::exception_ptr> errors(static_cast<size_t>(n_threads));
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < n_threads; ++i) {
    threads.emplace_back([&, i] {
      const at::internal::ThreadIdGuard number(static_cast<int>(i));
      const c10::ParallelGuard region(true);
      try {
        body(i);
      } catch (...) {
        errors[static_cast<size_t>(i)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

}  // namespace retia::kernels
