#pragma once

#include <filesystem>

#include "retia/trainers/data/dataset.h"

namespace retia {

/// Reads CIFAR-10 in its official binary format: data_batch_1.bin … data_batch_5.bin and
/// test_batch.bin (each plain or with .gz), in `folder` or its subfolder cifar-10-batches-bin.
/// Statistics are not set. Throws one line that names the file where one is missing, truncated, or
/// has a label above 9.
/// Returns the files that read_cifar10_folder reads. Throws one line that names a missing one.
std::vector<std::filesystem::path> cifar10_files(const std::filesystem::path& folder);

DataSplits read_cifar10_folder(const std::filesystem::path& folder);

/// Reads one such file: any number of records, each a label and 3 x 32 x 32 pixels.
Dataset read_cifar10_file(const std::filesystem::path& path);

}  // namespace retia
