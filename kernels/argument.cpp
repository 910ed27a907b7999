#include "retia/kernels/argument.h"

namespace retia::kernels {
namespace {

bool is_half(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
}

}  // namespace

std::string described(const at::Tensor& tensor) {
  if (!tensor.defined()) {
    return "undefined";
  }
  if (!is_array(tensor)) {
    return c10::str("a tensor of dtype ", tensor.scalar_type(), " and layout ", tensor.layout());
  }
  return c10::str(tensor.scalar_type(), " ", tensor.sym_sizes(), " on ", tensor.device());
}

bool is_array(const at::Tensor& tensor) {
  return tensor.defined() && tensor.layout() == at::kStrided && !tensor.is_nested() &&
         !tensor.is_quantized() && (tensor.is_cpu() || tensor.is_cuda() || tensor.is_meta());
}

bool is_batch_of_images(const at::Tensor& x) {
  return is_array(x) && x.dim() == 4 && x.sym_numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble ||
          (is_half(x) && is_for_gpu(x)));
}

at::ScalarType dtype_beside(const at::Tensor& x) {
  return is_half(x) ? at::kFloat : x.scalar_type();
}

bool goes_with(const at::Tensor& tensor, const at::Tensor& x) {
  return is_array(tensor) && tensor.scalar_type() == dtype_beside(x) &&
         tensor.device() == x.device();
}

}  // namespace retia::kernels
