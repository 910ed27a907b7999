#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace retia {

/// Gradients of some tensors; undefined for those that the loss does not depend on.
struct Gradients {
  std::vector<at::Tensor> of;
  std::vector<at::Tensor> values;
  bool overflowed = false;  ///< in float16: not to be used
};

/// Adds those of the same tensors to `sum`, or makes it them where it is empty.
void add(Gradients& sum, Gradients more);

/// d loss / d of, and nothing else is computed. loss: a scalar.
Gradients gradients(const at::Tensor& loss, std::span<const at::Tensor> of);

/// Scales all gradients by min(1, most / norm), the norm being taken over all of them. Nothing for
/// `most` = 0. No device synchronisation.
void clip_norm(Gradients& gradients, double most);

}  // namespace retia
