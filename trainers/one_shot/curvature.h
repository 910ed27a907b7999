#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace retia {

/// The options of largest_eigenvalue.
struct PowerIterationOptions {
  int64_t iterations = 100;  ///< largest number of iterations, ≥ 1
  double tolerance = 1e-4;   ///< relative tolerance of the eigenvalue
  uint64_t seed = 0;         ///< seed of the starting vector
};

/// Returns the largest eigenvalue of the Hessian H of a loss with respect to `of`, at the present
/// values. `gradients()`: returns the gradients of the loss in each of `of`; may be undefined.
///
/// Power iteration, v <- Hv / |Hv|, finds the eigenvalue that is largest in magnitude; where that
/// is negative, lambda, power iteration on H - lambda I finds the largest. The products are central
/// differences,
///   Hv ~ (g(a + h v) - g(a - h v)) / 2h,  |v| = 1,
/// so that no pass is differentiated twice. `of` are moved in place and restored to their exact
/// bits.
double largest_eigenvalue(const std::vector<at::Tensor>& of,
                          const std::function<std::vector<at::Tensor>()>& gradients,
                          const PowerIterationOptions& options = {});

}  // namespace retia
