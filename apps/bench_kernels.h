#pragma once

#include <string>
#include <vector>

namespace retia {

/// The flags of `retia bench kernels`.
struct KernelsBench {
  std::string filter;  ///< a regular expression that names of cases must match
  std::string out;     ///< a JSON file to write; empty: none
  std::string device = "cpu", precision = "fp32";
};

KernelsBench read_kernels_bench(const std::vector<std::string>& words);

/// `retia bench kernels`: runs the benchmarks of the fused operations that stand beside this
/// program, on one thread or a GPU, and prints each with its per cent of what a copy or a matrix
/// product reaches on the same device, whichever binds, and its ratio to ATen's operations.
int bench_kernels(const KernelsBench& flags);

}  // namespace retia
