#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace retia {

struct PowerIterationOptions {
  int64_t iterations = 100;  ///< at most, ≥ 1
  double tolerance = 1e-4;   ///< of an eigenvalue, relative
  uint64_t seed = 0;         ///< of the vector that it starts from
};

/// The largest eigenvalue of the Hessian H of a loss in `of`, where they stand.
/// gradients(): of the loss in each of `of`, at their present values; may be undefined.
///
/// Power iteration, v <- Hv / |Hv|, comes to the eigenvalue that is largest in size; where that is
/// negative, the same on H - lambda I comes to the largest. The products are central differences,
///   Hv ~ (g(a + h v) - g(a - h v)) / 2h,  |v| = 1,
/// so that no pass has to be differentiated twice. `of` are moved in place and have the bits they
/// had at the end.
double largest_eigenvalue(const std::vector<at::Tensor>& of,
                          const std::function<std::vector<at::Tensor>()>& gradients,
                          const PowerIterationOptions& options = {});

}  // namespace retia
