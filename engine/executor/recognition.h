#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/executor/instructions.h"
#include "retia/engine/operations/batch_norm.h"

namespace retia::executor {

// Questions that passes ask about programs.

/// Who writes and who reads each value of a program, as indices into its instructions.
struct Uses {
  std::vector<std::optional<size_t>> writer;  ///< none: an input of the program
  /// The readers of each value, an instruction once per read; what its replaced instructions read
  /// counts too. The number of instructions stands for the program, which returns the value.
  std::vector<std::vector<size_t>> readers;
};

/// Returns who writes and who reads each value.
Uses uses_of(const Program& program);

/// Returns the instruction as one that runs a layer; null: it does something else.
const LayerInstruction* as_layer(const Instruction& instruction);

/// Returns the type of an instruction's operation, e.g. "conv2d"; empty where the instruction runs
/// no layer, or where a size or an option is a choice.
std::string decided_type(const Program& program, const Instruction& instruction);

/// Returns the parameters of the layer as Options.
template <class Options>
Options options_of(const LayerInstruction& instruction) {
  return instruction.operation().parameters().get<Options>();
}

/// Returns the parameter `name` of an instruction's layer; undefined where there is none.
at::Tensor parameter_of(const LayerInstruction& instruction, const std::string& name);

/// A convolution without bias that keeps the image size at stride 1.
struct Convolution {
  int64_t kernel, stride, dilation;
};

/// Returns the convolution that `instruction`, which runs a conv2d, computes; none: it has a bias
/// or changes the image size.
std::optional<Convolution> convolution(const LayerInstruction& instruction);

/// Returns whether a pool is 3 × 3 and keeps the image size at stride 1.
bool is_pool_of_three(const LayerInstruction& instruction);

/// A batch normalisation layer with the tensors and numbers that fused operations need from it.
struct Norm {
  std::shared_ptr<BatchNormLayer> layer;
  at::Tensor running_mean, running_var;
  double epsilon = 0;
};
/// `instruction`: runs a batch_norm.
Norm norm_of(const LayerInstruction& instruction);

/// Returns x in the dtype and layout that fused operations read.
at::Tensor read_by_fusion(const at::Tensor& x);

/// Returns the dtype of weights and statistics with which fused operations read `x`; none where
/// they do not take `x`: it is empty, no image, of another dtype than float32 and float64, or half
/// precision outside a GPU.
std::optional<at::ScalarType> dtype_beside(const at::Tensor& x);

}  // namespace retia::executor
