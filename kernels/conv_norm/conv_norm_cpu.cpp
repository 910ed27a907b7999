#include <torch/library.h>

#include <limits>

#include "retia/kernels/argument.h"
#include "retia/kernels/conv_norm/conv_norm.h"

namespace retia::kernels {
namespace {

/// Throws where offsets within an image of the result, or within a block of what a dense convolution
/// reads, would not fit into 32 bits.
void check_offsets(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& o) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  constexpr int64_t kMostChannels = kMost / (64 * 7 * 7) - 8;
  const int64_t pixels = n_strided(x.size(2), o.stride) * n_strided(x.size(3), o.stride) + 8;
  const int64_t channels = channels_out(x, weights, static_cast<ConvKind>(o.kind));
  TORCH_CHECK(
      x.size(1) <= kMostChannels && channels <= kMostChannels && (channels + 8) <= kMost / pixels,
      "conv_norm: one image may have ", kMostChannels, " channels and 2^31 - 1 values, but x is ",
      x.sizes(), " and the result has ", channels, " channels");
}

ConvNormForward forward(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                        at::TensorList running, int64_t kind, int64_t stride, int64_t dilation,
                        bool relu_before, bool relu_after, bool training, double epsilon,
                        std::string_view group) {
  const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
  const ConvNormOptions o = {.kind = kind,
                             .stride = stride,
                             .dilation = dilation,
                             .relu_before = relu_before,
                             .relu_after = relu_after,
                             .training = training,
                             .epsilon = epsilon,
                             .ranks = ranks.get()};
  check_conv_norm(x, weights, affine, running, o, group);
  check_offsets(x, weights, o);
  return cpu::conv_norm_forward(x, weights, affine, running, conv_norm_operators::within(x, o));
}

std::vector<at::Tensor> backward(const at::Tensor& gradient, const at::Tensor& x,
                                 const std::optional<at::Tensor>& out, at::TensorList weights,
                                 at::TensorList affine, const at::Tensor& kept,
                                 const at::Tensor& moments, int64_t kind, int64_t stride,
                                 int64_t dilation, bool relu_before, bool relu_after, bool training,
                                 std::string_view group, bool needs_x, bool needs_weights) {
  const std::shared_ptr<SumOverRanks> ranks = ranks_of(group);
  const ConvNormOptions o = {.kind = kind,
                             .stride = stride,
                             .dilation = dilation,
                             .relu_before = relu_before,
                             .relu_after = relu_after,
                             .training = training,
                             .ranks = ranks.get()};
  conv_norm_operators::check_backward(gradient, x, out, weights, affine, kept, moments, o);
  return needed(cpu::conv_norm_backward(gradient, x, out.value_or(at::Tensor()), weights, affine,
                                        kept, moments, conv_norm_operators::within(x, o),
                                        {needs_x, needs_weights}));
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CPU, library) {
  library.impl("conv_norm_forward", &forward);
  library.impl("conv_norm_backward", &backward);
}

}  // namespace retia::kernels
