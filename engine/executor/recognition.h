#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor/norm.h"
#include "engine/executor/routine.h"

namespace retia {

// What passes ask of the steps of a routine.

/// Per step those that read it, once a time, and last steps.size() where it is one of the outputs.
std::vector<std::vector<size_t>> readers_of(const std::vector<Step>& steps,
                                            const std::vector<size_t>& outputs);

/// The type of a step's operation, e.g. "conv2d"; empty where it is none, or where sizes or options
/// are choices.
std::string decided_type(const Step& step);

template <class Options>
Options options_of(const Step& step) {
  return std::get<ir::Operation>(step.node.body).parameters().get<Options>();
}

/// The tensor of a layer's parameter; undefined where it has none of that name.
at::Tensor parameter_of(const Step& step, const std::string& name);

/// Kernel, stride and dilation of a convolution without bias that keeps the size at stride 1.
struct Convolution {
  int64_t kernel, stride, dilation;
};
std::optional<Convolution> convolution(const Step& step);

/// Whether a pool is 3 by 3 and keeps the size at stride 1.
bool is_pool_of_three(const Step& step);

Norm norm_of(const Step& step);

}  // namespace retia
