#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace retia {

/// The gradients of a loss in some tensors; undefined for tensors that the loss does not depend on.
struct Gradients {
  std::vector<at::Tensor> of;      ///< tensors to differentiate in
  std::vector<at::Tensor> values;  ///< gradients: one per tensor of `of`, of its shape and dtype
  bool overflowed = false;         ///< float16 overflow: the values must not be used
};

/// Adds `more` to `sum`, tensor by tensor; an empty `sum` becomes `more`.
void add(Gradients& sum, Gradients more);

/// Returns d loss / d of, and computes no other gradients. `loss`: a scalar.
Gradients gradients(const at::Tensor& loss, std::span<const at::Tensor> of);

/// Scales all gradients by min(1, most / norm), where norm is the norm of all gradients together;
/// `most` = 0 does nothing. Does not synchronise with the device.
void clip_norm(Gradients& gradients, double most);

}  // namespace retia
