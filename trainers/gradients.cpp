#include "retia/trainers/gradients.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <torch/autograd.h>

#include <algorithm>

#include "retia/trainers/in_chunks.h"

namespace retia {

Gradients gradients(const at::Tensor& loss, std::span<const at::Tensor> of) {
  Gradients result{.of = {of.begin(), of.end()}, .values = {}};
  if (!loss.requires_grad()) {
    result.values.resize(of.size());
  } else if (!of.empty()) {
    result.values = torch::autograd::grad({loss}, result.of, {}, std::nullopt,
                                          /*create_graph=*/false, /*allow_unused=*/true);
  }
  return result;
}

void add(Gradients& sum, Gradients more) {
  if (sum.of.empty()) {
    sum = std::move(more);
    return;
  }
  const at::NoGradGuard no_grad;
  sum.overflowed = sum.overflowed || more.overflowed;
  for (size_t i = 0; i < sum.values.size(); ++i) {
    at::Tensor& value = sum.values[i];
    const at::Tensor& added = more.values[i];
    // Not in place: autograd may hand out one tensor for several parameters.
    value = value.defined() && added.defined() ? value + added : added.defined() ? added : value;
  }
}

void clip_norm(Gradients& gradients, double most) {
  std::vector<at::Tensor> values;
  for (const at::Tensor& value : gradients.values) {
    if (value.defined()) {
      values.push_back(value);
    }
  }
  if (most <= 0 || values.empty()) {
    return;
  }
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> made(values.size());
  in_chunks(values, [&](size_t first, size_t n) {
    const auto norms = at::_foreach_norm(at::TensorList(values).slice(first, n), 2);
    std::copy(norms.begin(), norms.end(), made.begin() + static_cast<int64_t>(first));
  });
  const at::Tensor norm = at::linalg_vector_norm(at::stack(made));
  const at::Tensor factor = (most / (norm + 1e-6)).clamp_max(1.0);
  // Not in place: autograd may hand out one tensor, or a view of one number, for several
  // parameters.
  in_chunks(values, [&](size_t first, size_t n) {
    const auto scaled = at::_foreach_mul(at::TensorList(values).slice(first, n), factor);
    std::copy(scaled.begin(), scaled.end(), made.begin() + static_cast<int64_t>(first));
  });
  auto next = made.begin();
  for (at::Tensor& value : gradients.values) {
    value = value.defined() ? *next++ : value;
  }
}

}  // namespace retia
