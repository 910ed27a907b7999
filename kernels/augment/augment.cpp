#include "retia/kernels/augment/augment.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace retia::kernels {

void check_augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout) {
  TORCH_CHECK(images.dim() == 4 && images.scalar_type() == at::kByte,
              "augment: images must be uint8 [n, channels, height, width], but are ",
              images.scalar_type(), " ", images.sizes());
  TORCH_CHECK(draws.dim() == 2 && draws.size(0) == images.size(0) &&
                  draws.size(1) == kAugmentDraws && draws.scalar_type() == at::kInt,
              "augment: draws must be int32 [", images.size(0), ", ",
              static_cast<int64_t>(kAugmentDraws), "], but are ", draws.scalar_type(), " ",
              draws.sizes());
  TORCH_CHECK(levels.dim() == 2 && levels.size(0) == images.size(1) && levels.size(1) == 256 &&
                  (levels.scalar_type() == at::kFloat || levels.scalar_type() == at::kDouble),
              "augment: levels must be float32 or float64 [", images.size(1), ", 256], but are ",
              levels.scalar_type(), " ", levels.sizes());
  TORCH_CHECK(draws.device() == images.device() && levels.device() == images.device(),
              "augment: all must be on one device, but images are on ", images.device(),
              ", draws on ", draws.device(), ", levels on ", levels.device());
  TORCH_CHECK(cutout >= 0, "augment: the side of the cut-out square must be at least 0, but is ",
              cutout);
}

at::Tensor augment(const at::Tensor& images, const at::Tensor& draws, const at::Tensor& levels,
                   int64_t cutout) {
  const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("retia::augment", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, int64_t)>();
  return op.call(images, draws, levels, cutout);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def("augment(Tensor images, Tensor draws, Tensor levels, int cutout) -> Tensor");
}

}  // namespace retia::kernels
