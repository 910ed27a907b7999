#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "engine/executor/norm.h"
#include "kernels/conv_norm/conv_norm.h"

namespace retia {

struct Step;

/// A run of steps of one routine that the fused operation `retia::conv_norm` computes: a
/// convolution or a pool with the batch normalisation behind it and the relus around.
class ConvNormFusion {
 public:
  /// Sets `run` of the last step of each such run. outputs: the steps that others than steps read.
  static void fuse(std::vector<Step>& steps, const std::vector<size_t>& outputs);

  /// The step that the run reads, and its own in order.
  size_t input() const { return input_; }
  const std::vector<size_t>& steps() const { return inside_; }
  const kernels::ConvNormOptions& options() const { return options_; }

  /// Whether the operation runs on `x`: of the type of the weights; on a GPU also half of float32.
  bool takes(const at::Tensor& x) const;

  /// x: best in channels_last.
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
