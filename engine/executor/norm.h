#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "retia/engine/operations/batch_norm.h"

namespace retia {

/// A batch normalisation layer with the tensors and numbers that fused operations need from it.
struct Norm {
  std::shared_ptr<BatchNormLayer> layer;
  at::Tensor running_mean, running_var;
  double epsilon = 0;
};

}  // namespace retia
