#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

namespace retia {

/// Labels as int64. Throws, naming the file and the first offender, where one is not in
/// 0 … n_classes-1. labels: any integers, [n].
at::Tensor checked_labels(const at::Tensor& labels, int64_t n_classes,
                          const std::filesystem::path& path);

}  // namespace retia
