#include "retia/trainers/in_chunks.h"

#include <ATen/core/grad_mode.h>

#include "retia/kernels/parallel.h"
#include "retia/kernels/threads.h"

namespace retia {

void in_chunks(const std::vector<at::Tensor>& tensors,
               c10::function_ref<void(size_t first, size_t n)> body) {
  if (tensors.empty()) {
    return;
  }
  int64_t n_numbers = 0;
  for (const at::Tensor& tensor : tensors) {
    n_numbers += tensor.numel();
  }
  const int64_t n_threads = tensors.front().is_cpu() && n_numbers >= kernels::kWorthThreads
                                ? kernels::threads_for_a_loop()
                                : 1;
  std::vector<size_t> begins = {0};  // of parts
  int64_t before = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto n_parts = static_cast<int64_t>(begins.size());
    if (n_parts < n_threads && i > begins.back() && before * n_threads >= n_numbers * n_parts) {
      begins.push_back(i);
    }
    before += tensors[i].numel();
  }
  begins.push_back(tensors.size());
  kernels::parallel_for(static_cast<int64_t>(begins.size()) - 1, [&](kernels::Tasks& tasks) {
    const at::NoGradGuard no_grad;  // each thread has a mode of its own
    for (const int64_t part : tasks) {
      const size_t first = begins[static_cast<size_t>(part)];
      body(first, begins[static_cast<size_t>(part) + 1] - first);
    }
  });
}

}  // namespace retia
