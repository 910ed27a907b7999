#pragma once

#include <filesystem>

#include "trainers/data/dataset.h"

namespace retia {

/// CIFAR-10 in its official binary layout: data_batch_1.bin … data_batch_5.bin and test_batch.bin
/// (each plain or with .gz) in `folder` or its subfolder cifar-10-batches-bin. Without statistics.
/// Throws one line that names the file where one is missing, cut short, or has a label above 9.
DataSplits read_cifar10_folder(const std::filesystem::path& folder);

/// One of these files: records of a label and 3 x 32 x 32 pixels, any number of them.
Dataset read_cifar10_file(const std::filesystem::path& path);

}  // namespace retia
