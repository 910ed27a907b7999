#pragma once

#include <torch/library.h>

#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia::kernels {

/// The operators of mixed_op_operators on one device: checks of the arguments, followed by the
/// device's functions, which take options and have the signatures of cpu::mixed_ops_forward() and
/// cpu::mixed_ops_backward().
template <auto kForward, auto kBackward>
struct MixedOpsOnDevice {
  static MixedOpsForward forward(const at::Tensor& x, const at::Tensor& blend,
                                 at::TensorList weights, at::TensorList running,
                                 at::TensorList sums, at::IntArrayRef branches,
                                 at::IntArrayRef edges, at::IntArrayRef summed, int64_t stride,
                                 bool training, double epsilon, std::string_view group) {
    const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
    const MixedOpOptions o = {.branches = branches.vec(),
                              .edges = edges.vec(),
                              .summed = summed.vec(),
                              .stride = stride,
                              .training = training,
                              .epsilon = epsilon,
                              .ranks = ranks.get()};
    check_mixed_ops(x, blend, weights, running, sums, o, group);
    return kForward(x, blend, weights, running, sums, o);
  }

  static std::vector<at::Tensor> backward(at::TensorList gradients, const at::Tensor& x,
                                          const at::Tensor& blend, at::TensorList weights,
                                          const at::Tensor& kept, const at::Tensor& moments,
                                          at::IntArrayRef branches, at::IntArrayRef edges,
                                          int64_t stride, bool training, std::string_view group,
                                          bool needs_x, bool needs_weights) {
    const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
    const MixedOpOptions o = {.branches = branches.vec(),
                              .edges = edges.vec(),
                              .stride = stride,
                              .training = training,
                              .ranks = ranks.get()};
    mixed_op_operators::check_backward(gradients, x, blend, weights, kept, moments, o);
    return mixed_op_operators::needed(
        kBackward(gradients, x, blend, weights, kept, moments, o, {needs_x, needs_weights}));
  }

  /// Registers both for the device of `library`.
  static void add_to(torch::Library& library) {
    library.impl("mixed_ops_forward", &forward);
    library.impl("mixed_ops_backward", &backward);
  }
};

}  // namespace retia::kernels
