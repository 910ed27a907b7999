#include "retia/kernels/augment/augment_cuda.h"

#include <ATen/Dispatch.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <limits>

#include "retia/kernels/augment/augment.h"

namespace retia::kernels {
namespace {

at::Tensor augment_cuda(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                        int64_t cutout) {
  check_augment(images, draws, levels, cutout);
  const cuda::AugmentShape shape = {.n = images.size(0),
                                    .channels = images.size(1),
                                    .height = images.size(2),
                                    .width = images.size(3),
                                    .cutout = cutout};
  const int64_t image_size = shape.channels * shape.height * shape.width;
  TORCH_CHECK(image_size <= std::numeric_limits<int32_t>::max(),
              "augment: one image may hold 2^31 - 1 values on a GPU, but holds ", image_size);
  const c10::cuda::CUDAGuard guard(images.device());
  const at::Tensor pixels = images.contiguous();
  const at::Tensor table = draws.contiguous();
  const at::Tensor values = levels.contiguous();
  at::Tensor out = at::empty(images.sizes(), levels.options());
  if (out.numel() == 0) {
    return out;
  }
  AT_DISPATCH_FLOATING_TYPES(levels.scalar_type(), "augment_cuda", [&] {
    cuda::launch_augment(pixels.const_data_ptr<uint8_t>(), table.const_data_ptr<int32_t>(),
                         values.const_data_ptr<scalar_t>(), out.mutable_data_ptr<scalar_t>(), shape,
                         c10::cuda::getCurrentCUDAStream().stream());
  });
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(retia, CUDA, library) { library.impl("augment", &augment_cuda); }

}  // namespace retia::kernels
