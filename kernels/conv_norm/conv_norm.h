#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels {

/// What conv_norm normalises. Convolutions have no bias and odd kernels, and keep the size at
/// stride 1.
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

/// Number of weight tensors.
int64_t n_weights(ConvKind kind);

struct ConvNormOptions {
  int64_t kind = 0;  ///< a ConvKind
  int64_t stride = 1, dilation = 1;
  bool relu_before = false, relu_after = false;
  bool training = true;   ///< normalise by the batch; otherwise by the running statistics
  double momentum = 0.1;  ///< of the running statistics
  double epsilon = 1e-5;  ///< added to variances
  /// Those whose batches together are normalised by while training; null: this one's alone.
  /// Outlives the backward pass.
  SumOverRanks* ranks = nullptr;
};

/// A layer of a network as one operation: [relu] → convolution or pool → batch normalisation →
/// [relu], the brackets as the options say.
///
/// x: [n, C, H, W] float32 or float64, on a GPU also float16 or bfloat16, none of them 0; read in
/// channels_last. Of a half x all else is float32, and so are sums.
/// weights: as the kind says. affine: scale and shift [out] of the normalisation, or empty.
/// running: mean and (unbiased) variance [out], updated while training; may be empty then.
/// Returns [n, out, ceil(H / stride), ceil(W / stride)] in channels_last; differentiable once in x,
/// weights and affine. Results do not depend on the order in which threads run, on a GPU as far as
/// that holds of ATen's dense convolutions. For the backward pass it keeps x and what is
/// normalised, on the CPU also the result where relu comes after. The torch operator is
/// `retia::conv_norm`, which names ranks by their group.
at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options);

/// Channels of the result.
int64_t channels_out(const at::Tensor& x, at::TensorList weights, ConvKind kind);

/// Throws unless the arguments are as conv_norm() says. group: the name of the ranks.
void check_conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options,
                     std::string_view group);

/// What the backward pass is told to compute.
struct ConvNormNeeds {
  bool x = true, weights = true;
};

/// Gradients; undefined or empty unless needed.
struct ConvNormGradients {
  at::Tensor x;
  std::vector<at::Tensor> weights, affine;
};

/// Gradients of x, of weights and of affine, one after another.
std::vector<at::Tensor> listed(const ConvNormGradients& gradients);
/// Those of them that are defined.
std::vector<at::Tensor> needed(const ConvNormGradients& gradients);

/// The result; what is normalised (empty where that is x) and what by, for the backward pass; and,
/// while training, the batch's count, mean and sum of squares about the mean, [1, 3, out], by which
/// move_running() moves the running statistics.
using ConvNormForward = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

/// The operators behind conv_norm(), each registered for CPU, GPU and meta tensors. Both are
/// functions: they write to none of their arguments, and return nothing of them.
namespace conv_norm_operators {

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

/// Options with a stride and a dilation that reach no further beyond x than they must: the result is
/// the same, and sizes made of them are small.
ConvNormOptions within(const at::Tensor& x, ConvNormOptions options);

}  // namespace conv_norm_operators

namespace cpu {

/// What conv_norm_operators::Forward says, of arguments that have been checked.
ConvNormForward conv_norm_forward(const at::Tensor& x, at::TensorList weights,
                                  at::TensorList affine, at::TensorList running,
                                  const ConvNormOptions& options);

/// out: the result where relu comes after.
ConvNormGradients conv_norm_backward(const at::Tensor& gradient, const at::Tensor& x,
                                     const at::Tensor& out, at::TensorList weights,
                                     at::TensorList affine, const at::Tensor& kept,
                                     const at::Tensor& moments, const ConvNormOptions& options,
                                     ConvNormNeeds needs);

}  // namespace cpu

namespace reference {

/// The same by ATen operations, on any device.
at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options);

}  // namespace reference
}  // namespace retia::kernels
