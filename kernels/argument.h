#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "retia/kernels/stencil/numbers.h"

namespace retia::kernels {

/// Returns n rounded up to whole groups of pixels, where n may be symbolic.
inline c10::SymInt whole(const c10::SymInt& n) {
  return (n + (kPixelGroup - 1)) / kPixelGroup * kPixelGroup;
}

/// Returns the dtype, sizes and device of a tensor for a message, "undefined" for one without.
std::string described(const at::Tensor& tensor);

/// Returns whether a tensor is an ordinary array that kernels can read: strided, on a CPU or a GPU;
/// or a meta tensor, which has sizes only.
bool is_array(const at::Tensor& tensor);

/// Returns whether a tensor is on a GPU, or is a meta tensor that stands for one there, as the fake
/// tensors of torch.compile do.
inline bool is_for_gpu(const at::Tensor& tensor) {
  return tensor.key_set().has_backend(c10::BackendComponent::CUDABit);
}

/// Returns whether x is an image batch that fused operations take: an array [n, C, H, W] of float32
/// or float64, for a GPU also of float16 or bfloat16, and not empty.
bool is_batch_of_images(const at::Tensor& x);

/// Returns the dtype of weights, statistics and factors beside x: float32 if x is of half
/// precision, else that of x.
at::ScalarType dtype_beside(const at::Tensor& x);

/// Returns whether a tensor is an array on the device of x, of dtype_beside(x).
bool goes_with(const at::Tensor& tensor, const at::Tensor& x);

/// Returns how many outputs a stride gives: size / stride, rounded up. No stride overflows.
template <class Size>
Size n_strided(const Size& size, int64_t stride) {
  return (size - 1) / stride + 1;
}

}  // namespace retia::kernels
