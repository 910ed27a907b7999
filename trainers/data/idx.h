#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "retia/trainers/data/dataset.h"

namespace retia {

/// Reads an IDX file of images (magic 2051), gzipped or not: uint8 [n, 1, height, width]. Throws
/// one line that names the file where it is missing, of another kind, or its length differs from
/// its header.
at::Tensor read_idx_images(const std::filesystem::path& path);

/// Reads an IDX file of labels (magic 2049), gzipped or not: int64 [n], each in 0 … n_classes-1.
/// Throws as read_idx_images does.
at::Tensor read_idx_labels(const std::filesystem::path& path, int64_t n_classes);

/// Reads the four files of MNIST and data sets of its format, each plain or with .gz:
/// {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte. Statistics are not set.
DataSplits read_idx_folder(const std::filesystem::path& folder, int64_t n_classes);

}  // namespace retia
