#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels {

/// The computation whose result conv_norm normalises. Convolutions have no bias and odd kernels,
/// and keep the size at stride 1.
enum class ConvKind : int64_t {
  None,       ///< the input itself; stride 1, no relu before
  Dense,      ///< weights [out, C, k, k], k at most 7
  Depthwise,  ///< weights [C, 1, k, k], k 3, 5 or 7
  Separable,  ///< a depthwise and then a pointwise one: weights [C, 1, k, k], [out, C, 1, 1]
  Halving,    /**< concat(even · x, odd · x one pixel further down and right), each second pixel;
                   stride 2; weights [even, C, 1, 1] and [odd, C, 1, 1] */
  MaxPool3,   ///< max pool 3 x 3, padding 1
  AveragePool3,  ///< average pool 3 x 3, padding 1 that is not counted
};

/// Returns the number of weight tensors.
int64_t n_weights(ConvKind kind);

/// The options of conv_norm.
struct ConvNormOptions {
  int64_t kind = 0;          ///< a ConvKind
  int64_t stride = 1;        ///< in both directions, ≥ 1
  int64_t dilation = 1;      ///< distance between the pixels that a kernel reads, ≥ 1
  bool relu_before = false;  ///< whether relu comes before the convolution or pool
  bool relu_after = false;   ///< whether relu comes after the normalisation
  bool training = true;      ///< normalise by the batch; otherwise by the running statistics
  double momentum = 0.1;     ///< weight of a new batch in the running statistics
  double epsilon = 1e-5;     ///< added to variances
  /// Ranks over whose samples batches are normalised in training (SyncBatchNorm); null: this rank
  /// only. Outlives the backward pass.
  SumOverRanks* ranks = nullptr;
};

/// Computes a layer of a network as one operation: [relu] → convolution or pool → batch
/// normalisation → [relu], the brackets as the options say.
///
/// x: [n, C, H, W] float32 or float64, on a GPU also float16 or bfloat16, n, C, H, W at least 1;
/// read in channels_last. With a float16 or bfloat16 x, all other arguments are float32, and sums
/// are accumulated in float32.
/// weights: as the kind says. affine: scale and shift [out] of the normalisation, or empty.
/// running: mean and (unbiased) variance [out], updated while training; may be empty then.
/// Returns [n, out, ceil(H / stride), ceil(W / stride)] in channels_last; differentiable once in x,
/// weights and affine. Results do not depend on the order in which threads run; on a GPU, dense
/// convolutions are ATen's, and as reproducible as these. Saves for backward x and the tensor
/// that is normalised, on the CPU also the result where relu comes after. The torch operator is
/// `retia::conv_norm`, which names ranks by their group.
at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options);

/// Returns the number of channels of the result.
int64_t channels_out(const at::Tensor& x, at::TensorList weights, ConvKind kind);

/// Throws unless the arguments are as conv_norm() says. group: the name of the ranks.
void check_conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options,
                     std::string_view group);

/// The gradients that the backward pass is asked for, beside the gradients of affine.
struct ConvNormNeeds {
  bool x = true;        ///< gradient of x
  bool weights = true;  ///< gradients of all weights
};

/// The gradients of conv_norm; undefined or empty unless needed.
struct ConvNormGradients {
  at::Tensor x;                     ///< gradient of x
  std::vector<at::Tensor> weights;  ///< gradients of the weights
  std::vector<at::Tensor> affine;   ///< gradients of scale and shift
};

/// Returns the gradients of x, of weights and of affine, in this order.
std::vector<at::Tensor> listed(const ConvNormGradients& gradients);
/// Returns the gradients that are defined, in the order of listed().
std::vector<at::Tensor> needed(const ConvNormGradients& gradients);

/// The result of the forward operator: the result of conv_norm(); saved for backward, the tensor
/// that is normalised (empty where this is x), and its mean and 1/deviation; while training, the
/// batch's count, mean and sum of squares about the mean, as [1, 3, out], by which move_running()
/// moves the running statistics.
using ConvNormForward = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

/// The operators behind conv_norm(), each registered for CPU, GPU and meta tensors. Both are
/// pure functions: they write to none of their arguments, and return none of them.
namespace conv_norm_operators {

/// Computes conv_norm(). group: the name of the ranks, empty for this rank only.
using Forward = ConvNormForward(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                                at::TensorList running, int64_t kind, int64_t stride,
                                int64_t dilation, bool relu_before, bool relu_after, bool training,
                                double epsilon, std::string_view group);
/// Returns the gradients that are needed, as needed() lists them. out: the result of forward, where
/// relu comes after; not read on a GPU.
using Backward = std::vector<at::Tensor>(const at::Tensor& gradient, const at::Tensor& x,
                                         const std::optional<at::Tensor>& out,
                                         at::TensorList weights, at::TensorList affine,
                                         const at::Tensor& kept, const at::Tensor& moments,
                                         int64_t kind, int64_t stride, int64_t dilation,
                                         bool relu_before, bool relu_after, bool training,
                                         std::string_view group, bool needs_x, bool needs_weights);

/// Throws unless the arguments of the backward operator fit each other.
void check_backward(const at::Tensor& gradient, const at::Tensor& x,
                    const std::optional<at::Tensor>& out, at::TensorList weights,
                    at::TensorList affine, const at::Tensor& kept, const at::Tensor& moments,
                    const ConvNormOptions& options);

/// Returns options of the same result whose stride and dilation reach no further beyond x than they
/// must, so that sizes computed from the options stay small.
ConvNormOptions within(const at::Tensor& x, ConvNormOptions options);

}  // namespace conv_norm_operators

namespace cpu {

/// Computes conv_norm_operators::Forward on the CPU, for checked arguments.
ConvNormForward conv_norm_forward(const at::Tensor& x, at::TensorList weights,
                                  at::TensorList affine, at::TensorList running,
                                  const ConvNormOptions& options);

/// Computes the gradients on the CPU, for checked arguments. out: the result, where relu comes
/// after.
ConvNormGradients conv_norm_backward(const at::Tensor& gradient, const at::Tensor& x,
                                     const at::Tensor& out, at::TensorList weights,
                                     at::TensorList affine, const at::Tensor& kept,
                                     const at::Tensor& moments, const ConvNormOptions& options,
                                     ConvNormNeeds needs);

}  // namespace cpu

namespace reference {

/// Computes conv_norm() by ATen operations, on any device.
at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options);

}  // namespace reference
}  // namespace retia::kernels
