#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op_branches.h"
#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels {

struct MixedOpOptions {
  std::vector<int64_t> branches;  ///< MixedBranch values; any number of each, at least one an edge
  std::vector<int64_t> edges = {};   ///< numbers of branches of each edge in turn; empty: one edge
  std::vector<int64_t> summed = {};  ///< edges that are added to something, each once
  int64_t stride = 1;                ///< 1 or 2
  bool training = true;   ///< normalise by the batch; otherwise by the running statistics
  double momentum = 0.1;  ///< of the running statistics
  double epsilon = 1e-5;  ///< added to variances
  /// Those whose batches together are normalised by while training; null: this one's alone.
  /// Outlives the backward pass.
  SumOverRanks* ranks = nullptr;
};

/// Where the branches, weights and normalisations of one edge are among those of all.
struct MixedEdge {
  int64_t branch = 0, n_branches = 0;
  int64_t weight = 0, n_weights = 0;
  int64_t norm = 0, n_norms = 0;
};
std::vector<MixedEdge> edges_of(const MixedOpOptions& options);

/// The mixed operation of DARTS (Liu et al. 2019): Σ_k blend[k] · branch_k(x), as one operation.
///
/// x: [n, C, H, W] float32 or float64, on a GPU also float16 or bfloat16, n, C, H, W at least 1;
/// read in channels_last. Of a half x all else is float32, and so are sums.
/// blend: [branches]. weights: those of all branches in turn.
/// running: mean and (unbiased) variance [C] of each normalisation in turn, updated while training;
/// may be empty then.
/// Returns [n, C, ceil(H / stride), ceil(W / stride)] in channels_last; differentiable once in x,
/// blend and weights. Results do not depend on the number or order of threads.
/// For the backward pass it keeps x and six (of the eight DARTS candidates) tensors of the
/// output's size, where the composition keeps about thirty. Ranks are asked for two sums forward
/// and two back, or one where no branch normalises twice. The torch operator is `retia::mixed_op`,
/// which names ranks by their group.
at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options);

/// The mixed operations of all edges that leave one node, as one operation: a result an edge,
/// Σ_k blend[k] · branch_k(x) over its branches, and what it is added to, so that nodes are summed
/// on the way.
///
/// sums: of the results' size and the dtype of x, of each edge in options.summed what it is added
/// to. All else is that of mixed_op, edge after edge. x is read once for all edges; on the CPU,
/// while training, a pool and its normalisation are made once.
std::vector<at::Tensor> mixed_ops(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options);

/// Throws unless the arguments are as mixed_ops() says. group: the name of the ranks.
void check_mixed_ops(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                     at::TensorList running, at::TensorList sums, const MixedOpOptions& options,
                     std::string_view group);

/// What the backward pass is told to compute.
struct MixedOpNeeds {
  bool x = true, weights = true;
};

/// A result an edge; outputs of the convolutions before their normalisation, and what each
/// normalisation normalises by, for the backward pass; and, while training, the batch's count, mean
/// and sum of squares about the mean of each normalisation in turn, [normalisations, 3, C], by which
/// move_running() moves the running statistics.
using MixedOpsForward = std::tuple<std::vector<at::Tensor>, at::Tensor, at::Tensor, at::Tensor>;

/// Gradients of x (undefined unless needed), blend, and each of the weights (likewise).
using MixedOpsGradients = std::tuple<at::Tensor, at::Tensor, std::vector<at::Tensor>>;

/// The operators behind mixed_ops(), each registered for CPU, GPU and meta tensors. Both are
/// functions: they write to none of their arguments, and return nothing of them.
namespace mixed_op_operators {

using Forward = MixedOpsForward(const at::Tensor& x, const at::Tensor& blend,
                                at::TensorList weights, at::TensorList running, at::TensorList sums,
                                at::IntArrayRef branches, at::IntArrayRef edges,
                                at::IntArrayRef summed, int64_t stride, bool training,
                                double epsilon, std::string_view group);
/// Returns the gradients of blend, of x and of weights, the last two where they are needed.
using Backward = std::vector<at::Tensor>(at::TensorList gradients, const at::Tensor& x,
                                         const at::Tensor& blend, at::TensorList weights,
                                         const at::Tensor& kept, const at::Tensor& moments,
                                         at::IntArrayRef branches, at::IntArrayRef edges,
                                         int64_t stride, bool training, std::string_view group,
                                         bool needs_x, bool needs_weights);

/// Throws unless the arguments of the backward operator fit each other.
void check_backward(at::TensorList gradients, const at::Tensor& x, const at::Tensor& blend,
                    at::TensorList weights, const at::Tensor& kept, const at::Tensor& moments,
                    const MixedOpOptions& options);

/// Sizes of what forward returns of checked arguments, on this device or, of a meta tensor, on the
/// one that it stands for.
struct Returned {
  std::vector<c10::SymInt> out, kept, moments, batch;
  at::ScalarType dtype_of_batch;
};
Returned returned(const at::Tensor& x, const MixedOpOptions& options);

/// The gradients that are defined, in the order that Backward says.
std::vector<at::Tensor> needed(MixedOpsGradients gradients);

}  // namespace mixed_op_operators

namespace cpu {

/// What mixed_op_operators::Forward says, of arguments that have been checked.
MixedOpsForward mixed_ops_forward(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options);

/// gradients: one an edge.
MixedOpsGradients mixed_ops_backward(at::TensorList gradients, const at::Tensor& x,
                                     const at::Tensor& blend, at::TensorList weights,
                                     const at::Tensor& kept, const at::Tensor& moments,
                                     const MixedOpOptions& options, MixedOpNeeds needs);

}  // namespace cpu

namespace reference {

/// The same by ATen operations, on any device.
at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options);
std::vector<at::Tensor> mixed_ops(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options);

}  // namespace reference
}  // namespace retia::kernels
