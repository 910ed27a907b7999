#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace retia {

/// Returns labels as int64. `labels`: integers of any dtype, [n]. Throws, naming the file and the
/// first wrong label, where one is not in 0 … n_classes-1.
at::Tensor checked_labels(const at::Tensor& labels, int64_t n_classes,
                          const std::filesystem::path& path);

}  // namespace retia
