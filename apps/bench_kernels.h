#pragma once

#include <string>
#include <vector>

namespace retia {

/// `retia bench kernels [--filter REGEX] [--out FILE]`: runs the benchmarks of the fused operations
/// that stand beside this program, on one thread, and prints each with its per cent of what a copy
/// or a matrix product reaches on this machine, whichever binds, and its ratio to ATen's
/// operations.
int bench_kernels(const std::vector<std::string>& words);

}  // namespace retia
