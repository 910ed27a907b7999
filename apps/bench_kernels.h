#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace retia {

/// The flags of `retia bench kernels`.
struct KernelsBench {
  std::string filter;  ///< regular expression that the names of cases must match
  std::string out;     ///< JSON file to write; empty: none
  std::string device = "cpu", precision = "fp32";
  int64_t threads = 1;  ///< of the CPU, 1 to 4096
};

KernelsBench read_kernels_bench(const std::vector<std::string>& words);

/// Runs `retia bench kernels`: starts the benchmarks of the fused operations, which are installed
/// beside this program, on a CPU or a GPU. Prints, for each case, the percentage of the bound
/// (copy bandwidth or matrix-product throughput of the same device, whichever is lower), and the
/// ratio to ATen's operations.
int bench_kernels(const KernelsBench& flags);

}  // namespace retia
