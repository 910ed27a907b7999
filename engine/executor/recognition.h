#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/executor/norm.h"
#include "retia/engine/executor/routine.h"

namespace retia {

// Questions that passes ask about the steps of a routine.

/// Returns, for each step, the steps that read it, once per read; the entry steps.size() at the end
/// marks a step whose value the routine returns.
std::vector<std::vector<size_t>> readers_of(const std::vector<Step>& steps,
                                            const std::vector<size_t>& outputs);

/// Returns the type of a step's operation, e.g. "conv2d"; empty where the step is not an operation,
/// or where a size or an option is a choice.
std::string decided_type(const Step& step);

template <class Options>
Options options_of(const Step& step) {
  return std::get<ir::Operation>(step.node.body).parameters().get<Options>();
}

/// Returns the parameter `name` of a step's layer; undefined where there is none.
at::Tensor parameter_of(const Step& step, const std::string& name);

/// A convolution without bias that keeps the image size at stride 1.
struct Convolution {
  int64_t kernel, stride, dilation;
};
std::optional<Convolution> convolution(const Step& step);

/// Returns whether a step is a 3 × 3 pool that keeps the image size at stride 1.
bool is_pool_of_three(const Step& step);

/// Returns the batch normalisation of a step.
Norm norm_of(const Step& step);

}  // namespace retia
