#include "retia/trainers/one_shot/unrolled.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include "retia/trainers/moved_weights.h"

namespace retia {
namespace {

constexpr double kSmallestNorm = 1e-8;

/// Returns the norm of all tensors together.
double norm_of(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> norms;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.defined()) {
      norms.push_back(at::linalg_vector_norm(tensor));
    }
  }
  return norms.empty() ? 0 : at::linalg_vector_norm(at::stack(norms)).item<double>();
}

}  // namespace

Gradients unrolled_gradients(const Unrolled& p) {
  Gradients result{.of = p.alphas, .values = {}};
  std::vector<at::Tensor> v;
  {
    const auto d = p.direction(p.train_gradients(p.weights));
    const MovedWeights at_w_prime(p.weights, d, -p.xi);
    std::vector<at::Tensor> both = p.alphas;
    both.insert(both.end(), p.weights.begin(), p.weights.end());
    const std::vector<at::Tensor> values = p.valid_gradients(both).values;
    const auto n_alphas = static_cast<int64_t>(p.alphas.size());
    result.values.assign(values.begin(), values.begin() + n_alphas);
    v.assign(values.begin() + n_alphas, values.end());
  }
  const double norm = norm_of(v);
  if (norm < kSmallestNorm) {
    return result;  // L_valid is flat in w': nothing comes back through the step
  }
  const double eps = 0.01 / norm;
  const auto alpha_gradients_at = [&](double shift) {
    const MovedWeights moved(p.weights, v, shift);
    return p.train_gradients(p.alphas).values;
  };
  const std::vector<at::Tensor> plus = alpha_gradients_at(eps);
  const std::vector<at::Tensor> minus = alpha_gradients_at(-eps);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < p.alphas.size(); ++i) {
    if (plus[i].defined()) {
      const at::Tensor implicit = (plus[i] - minus[i]) * (p.xi / (2 * eps));
      at::Tensor& value = result.values[i];
      value = value.defined() ? value - implicit : -implicit;
    }
  }
  return result;
}

}  // namespace retia
