#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "retia/engine/executor/norm.h"
#include "retia/kernels/conv_norm/conv_norm.h"

namespace retia {

struct Step;

/// A run of consecutive steps that the fused operation `retia::conv_norm` computes: a convolution
/// or a pool, followed by batch normalisation, with relus before and after.
class ConvNormFusion {
 public:
  /// Finds such runs in `steps` and sets `run` in the last step of each. `outputs`: the steps whose
  /// values the routine returns.
  static void fuse(std::vector<Step>& steps, const std::vector<size_t>& outputs);

  /// The step whose value the run reads.
  size_t input() const { return input_; }
  /// The steps of the run, in order.
  const std::vector<size_t>& steps() const { return inside_; }
  const kernels::ConvNormOptions& options() const { return options_; }

  /// Returns whether the fused operation supports `x`: the dtype of the weights, and on a GPU also
  /// half precision where the weights are float32.
  bool takes(const at::Tensor& x) const;

  /// Runs the fused operation. `x` is best in channels_last.
  at::Tensor run(const at::Tensor& x) const;

 private:
  friend class ConvNormFinder;

  size_t input_ = 0;
  std::vector<size_t> inside_;
  kernels::ConvNormOptions options_;
  std::vector<at::Tensor> weights_, affine_;
  Norm norm_;
};

}  // namespace retia
