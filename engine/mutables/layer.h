#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace retia {

/// A module that computes a primitive operation.
class Layer : public torch::nn::Module {
 public:
  /// Computes the operation. `inputs`: one tensor per input of the node, `[batch, shape...]`, with
  /// the device and dtype of the parameters. Differentiable.
  virtual at::Tensor forward(at::TensorList inputs) = 0;

  /// Draws the initial weights from `generator`, on the CPU, before the module is moved to a
  /// device.
  virtual void initialise(at::Generator&) {}

  /// Returns whether the output is zero for all inputs; blends then skip the layer.
  virtual bool always_zero() const { return false; }
};

/// A layer that draws random numbers for each sample. The draws of a sample depend on its key only,
/// so neither the batch it is in nor the number of ranks changes them.
class StochasticLayer : public Layer {
 public:
  /// Sets the samples of the next batches. `sample_keys`: one per sample. `progress`: the fraction
  /// of training completed, in [0, 1], for schedules. `stream`: separates the draws of one layer
  /// from those of other layers.
  virtual void prepare(const std::vector<uint64_t>& sample_keys, double progress,
                       uint64_t stream) = 0;
};

}  // namespace retia
