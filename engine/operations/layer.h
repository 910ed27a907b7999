#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace retia {

/// The module of a primitive operation.
class Layer : public torch::nn::Module {
 public:
  /// inputs: one tensor per input of the node, `[batch, shape...]`, on the device and of the dtype
  /// of the parameters. Differentiable.
  virtual at::Tensor forward(at::TensorList inputs) = 0;

  /// Draws the initial weights from `generator` (CPU, before the module is moved).
  virtual void initialise(at::Generator&) {}

  /// Whether the result is zero whatever the inputs: a blend then leaves the layer out.
  virtual bool always_zero() const { return false; }
};

/// A layer that draws random numbers for each sample. The draws of a sample depend on its key
/// alone, so that neither the batch it is in nor the number of ranks changes them.
class StochasticLayer : public Layer {
 public:
  /// sample_keys: one per sample of the batches to come; `progress`: the part of training that is
  /// done, 0 to 1, for schedules; `stream`: tells the draws of one layer from another's.
  virtual void prepare(const std::vector<uint64_t>& sample_keys, double progress,
                       uint64_t stream) = 0;
};

}  // namespace retia
