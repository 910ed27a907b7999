#include <limits>

#include "retia/kernels/argument.h"
#include "retia/kernels/conv_norm/conv_norm_on_device.h"

namespace retia::kernels {
namespace {

/// Throws where offsets within an image of the result, or within a block of what a dense
/// convolution reads, would not fit into 32 bits.
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
                        at::TensorList running, const ConvNormOptions& o) {
  check_offsets(x, weights, o);
  return cpu::conv_norm_forward(x, weights, affine, running, o);
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CPU, library) {
  ConvNormOnDevice<&forward, &cpu::conv_norm_backward>::add_to(library);
}

}  // namespace retia::kernels
