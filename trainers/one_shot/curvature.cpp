#include "retia/trainers/one_shot/curvature.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <limits>

#include "retia/engine/base/random.h"
#include "retia/trainers/moved_weights.h"

namespace retia {
namespace {

using Product = std::function<at::Tensor(const at::Tensor&)>;

/// Returns tensors as one vector; undefined ones become zeros with the shape of those in `like`.
at::Tensor flat(const std::vector<at::Tensor>& tensors, const std::vector<at::Tensor>& like) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < tensors.size(); ++i) {
    parts.push_back((tensors[i].defined() ? tensors[i] : at::zeros_like(like[i])).reshape({-1}));
  }
  return at::cat(parts);
}

std::vector<at::Tensor> shaped(const at::Tensor& vector, const std::vector<at::Tensor>& like) {
  std::vector<at::Tensor> tensors;
  int64_t next = 0;
  for (const at::Tensor& tensor : like) {
    tensors.push_back(vector.slice(0, next, next + tensor.numel()).view(tensor.sizes()));
    next += tensor.numel();
  }
  return tensors;
}

/// Returns the step size that balances rounding against the third derivative, for numbers of about
/// 1.
double step_for(at::ScalarType dtype) {
  return std::cbrt(dtype == at::kDouble ? std::numeric_limits<double>::epsilon()
                                        : std::numeric_limits<float>::epsilon());
}

at::Tensor random_vector(const at::Tensor& like, uint64_t seed) {
  Random random(seed);
  std::vector<double> values(static_cast<size_t>(like.numel()));
  for (double& value : values) {
    value = random.normal();
  }
  return at::tensor(values, at::kDouble).to(like.options().requires_grad(false));
}

/// The eigenvalue that is largest in size.
double dominant(const Product& times, at::Tensor v, const PowerIterationOptions& options) {
  double eigenvalue = 0;
  for (int64_t i = 0; i < options.iterations; ++i) {
    v = v / v.norm();
    const at::Tensor product = times(v);
    const double before = std::exchange(eigenvalue, v.dot(product).item<double>());
    const bool is_null = product.norm().item<double>() == 0;
    if (is_null || std::abs(eigenvalue - before) <= options.tolerance * std::abs(eigenvalue)) {
      return eigenvalue;
    }
    v = product;
  }
  return eigenvalue;
}

}  // namespace

double largest_eigenvalue(const std::vector<at::Tensor>& of,
                          const std::function<std::vector<at::Tensor>()>& gradients,
                          const PowerIterationOptions& options) {
  TORCH_CHECK(!of.empty(), "a Hessian needs something to differentiate in");
  const auto gradient_at = [&](const at::Tensor& direction, double shift) {
    const MovedWeights moved(of, shaped(direction, of), shift);
    return flat(gradients(), of);
  };
  const at::Tensor start = random_vector(flat(of, of).detach(), options.seed);
  const double h = step_for(start.scalar_type());
  const Product times_hessian = [&](const at::Tensor& v) {
    const at::Tensor above = gradient_at(v, h);
    return (above - gradient_at(v, -h)) / (2 * h);
  };
  const double largest_in_size = dominant(times_hessian, start, options);
  if (largest_in_size >= 0) {
    return largest_in_size;
  }
  const Product times_shifted = [&](const at::Tensor& v) {
    return times_hessian(v) - largest_in_size * v;
  };
  return largest_in_size + dominant(times_shifted, start, options);
}

}  // namespace retia
