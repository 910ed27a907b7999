#include "retia/kernels/augment/augment.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include "retia/kernels/argument.h"

namespace retia::kernels {

void check_augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout) {
  TORCH_CHECK(is_array(images) && images.dim() == 4 && images.scalar_type() == at::kByte,
              "augment: images must be uint8 [n, channels, height, width], but are ",
              described(images));
  TORCH_CHECK(is_array(draws) && draws.dim() == 2 && draws.sym_size(0) == images.sym_size(0) &&
                  draws.sym_size(1) == kAugmentDraws && draws.scalar_type() == at::kInt,
              "augment: draws must be int32 [", images.sym_size(0), ", ",
              static_cast<int64_t>(kAugmentDraws), "], but are ", described(draws));
  TORCH_CHECK(is_array(levels) && levels.dim() == 2 && levels.sym_size(0) == images.sym_size(1) &&
                  levels.sym_size(1) == 256 &&
                  (levels.scalar_type() == at::kFloat || levels.scalar_type() == at::kDouble),
              "augment: levels must be float32 or float64 [", images.sym_size(1),
              ", 256], but are ", described(levels));
  TORCH_CHECK(draws.device() == images.device() && levels.device() == images.device(),
              "augment: all must be on one device, but images are on ", images.device(),
              ", draws on ", draws.device(), ", levels on ", levels.device());
  TORCH_CHECK(cutout >= 0, "augment: the side of the cut-out square must be at least 0, but is ",
              cutout);
}

at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("retia::augment", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t)>();
  return op.call(images, draws, levels, cutout);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def("augment(Tensor images, Tensor draws, Tensor levels, int cutout) -> Tensor");
}

TORCH_LIBRARY_IMPL(retia, Autograd, library) {
  library.impl("augment", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(retia, Meta, library) {
  library.impl("augment", [](const at::Tensor& images, const at::Tensor& draws,
                             const at::Tensor& levels, int64_t cutout) {
    check_augment(images, draws, levels, cutout);
    return at::empty_symint(images.sym_sizes(), levels.options().memory_format({}));
  });
}

}  // namespace retia::kernels
