#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>
#include <tuple>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op_branches.h"
#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels {

/// The options of mixed_op and mixed_ops.
struct MixedOpOptions {
  std::vector<int64_t> branches;     ///< MixedBranch values, edge after edge; at least one per edge
  std::vector<int64_t> edges = {};   ///< number of branches of each edge; empty: one edge
  std::vector<int64_t> summed = {};  ///< edges that have an entry in `sums`, each once
  int64_t stride = 1;                ///< 1 or 2
  bool training = true;   ///< normalise by the batch; otherwise by the running statistics
  double momentum = 0.1;  ///< weight of a new batch in the running statistics
  double epsilon = 1e-5;  ///< added to variances
  /// Ranks over whose samples batches are normalised in training (SyncBatchNorm); null: this rank
  /// only. Outlives the backward pass.
  SumOverRanks* ranks = nullptr;
};

/// The ranges of one edge in the lists of branches, weights and normalisations of all edges.
struct MixedEdge {
  int64_t branch = 0;      ///< index of the first branch
  int64_t n_branches = 0;  ///< number of branches
  int64_t weight = 0;      ///< index of the first weight tensor
  int64_t n_weights = 0;   ///< number of weight tensors
  int64_t norm = 0;        ///< index of the first normalisation
  int64_t n_norms = 0;     ///< number of normalisations
};
/// Returns the ranges of each edge, in order.
std::vector<MixedEdge> edges_of(const MixedOpOptions& options);

/// Computes the mixed operation of DARTS (Liu et al. 2019), Σ_k blend[k] · branch_k(x), as one
/// operation.
///
/// x: [n, C, H, W] float32 or float64, on a GPU also float16 or bfloat16, n, C, H, W at least 1;
/// read in channels_last. With a float16 or bfloat16 x, all other arguments are float32, and sums
/// are accumulated in float32.
/// blend: [branches]. weights: the weights of all branches, branch after branch.
/// running: mean and (unbiased) variance [C] of each normalisation in turn, updated while training;
/// may be empty then.
/// Returns [n, C, ceil(H / stride), ceil(W / stride)] in channels_last; differentiable once in x,
/// blend and weights. Results do not depend on the number or order of threads.
/// Saves for backward x and, for the eight DARTS candidates, six tensors of the output's size;
/// the same computation in ATen's operations saves about thirty. Ranks are asked for two sums in
/// the forward pass and two in the backward pass, or for one in each where no branch normalises
/// twice. The torch operator is `retia::mixed_op`, which names ranks by their group.
at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options);

/// Computes the mixed operations of all edges that leave one node, as one operation. Returns one
/// result per edge: Σ_k blend[k] · branch_k(x) over the branches of the edge, plus an entry of sums
/// where options.summed lists the edge, so that nodes need no additions of their own.
///
/// sums: one tensor per entry of options.summed, of the size of the results and the dtype of x. All
/// other arguments are as in mixed_op, edge after edge. x is read once for all edges; on the CPU,
/// while training, a pool and its normalisation are computed once.
std::vector<at::Tensor> mixed_ops(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options);

/// Throws unless the arguments are as mixed_ops() says. group: the name of the ranks.
void check_mixed_ops(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                     at::TensorList running, at::TensorList sums, const MixedOpOptions& options,
                     std::string_view group);

/// The gradients that the backward pass is asked for, beside the gradient of blend.
struct MixedOpNeeds {
  bool x = true;        ///< gradient of x
  bool weights = true;  ///< gradients of all weights
};

/// The result of the forward operator: one result per edge; saved for backward, the outputs of the
/// convolutions before normalisation, and the mean and 1/deviation of each normalisation; while
/// training, the batch's count, mean and sum of squares about the mean of each normalisation, as
/// [normalisations, 3, C], by which move_running() moves the running statistics.
using MixedOpsForward = std::tuple<std::vector<at::Tensor>, at::Tensor, at::Tensor, at::Tensor>;

/// The gradients of x (undefined unless needed), of blend, and of each weight (undefined unless
/// needed).
using MixedOpsGradients = std::tuple<at::Tensor, at::Tensor, std::vector<at::Tensor>>;

/// The operators behind mixed_ops(), each registered for CPU, GPU and meta tensors. Both are
/// pure functions: they write to none of their arguments, and return none of them.
namespace mixed_op_operators {

/// Computes mixed_ops(). group: the name of the ranks, empty for this rank only.
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

/// The sizes of the tensors that the forward operator returns; for meta tensors, the sizes on the
/// device for which these stand.
struct Returned {
  std::vector<c10::SymInt> out;      ///< sizes of each result
  std::vector<c10::SymInt> kept;     ///< sizes of the outputs of the convolutions
  std::vector<c10::SymInt> moments;  ///< sizes of the means and 1/deviations
  std::vector<c10::SymInt> batch;    ///< sizes of the batch's statistics
  at::ScalarType dtype_of_batch;     ///< dtype of the batch's statistics
};
/// Returns the sizes for checked arguments.
Returned returned(const at::Tensor& x, const MixedOpOptions& options);

/// Returns the gradients that are defined, in the order of Backward.
std::vector<at::Tensor> needed(MixedOpsGradients gradients);

}  // namespace mixed_op_operators

namespace cpu {

/// Computes mixed_op_operators::Forward on the CPU, for checked arguments.
MixedOpsForward mixed_ops_forward(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options);

/// Computes the gradients on the CPU, for checked arguments. gradients: one per edge.
MixedOpsGradients mixed_ops_backward(at::TensorList gradients, const at::Tensor& x,
                                     const at::Tensor& blend, at::TensorList weights,
                                     const at::Tensor& kept, const at::Tensor& moments,
                                     const MixedOpOptions& options, MixedOpNeeds needs);

}  // namespace cpu

namespace reference {

/// Computes mixed_op() by ATen operations, on any device.
at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options);
/// Computes mixed_ops() by ATen operations, on any device.
std::vector<at::Tensor> mixed_ops(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options);

}  // namespace reference
}  // namespace retia::kernels
