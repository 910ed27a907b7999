#include "retia/trainers/data/labels.h"

#include <ATen/TensorOperators.h>

namespace retia {

at::Tensor checked_labels(const at::Tensor& labels, int64_t n_classes,
                          const std::filesystem::path& path) {
  const at::Tensor result = labels.to(at::kLong);
  const at::Tensor wrong = (result < 0) | (result >= n_classes);
  if (wrong.any().item<bool>()) {
    const auto first = wrong.nonzero()[0].item<int64_t>();
    TORCH_CHECK(false, path.string(), ": label ", first, " is ", result[first].item<int64_t>(),
                ", but must be one of 0 … ", n_classes - 1);
  }
  return result;
}

}  // namespace retia
