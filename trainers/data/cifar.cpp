#include "retia/trainers/data/cifar.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <cstring>
#include <string>
#include <vector>

#include "retia/trainers/data/compressed_file.h"
#include "retia/trainers/data/labels.h"

namespace retia {
namespace {

constexpr int64_t kClasses = 10;
constexpr int64_t kChannels = 3;
constexpr int64_t kSide = 32;
constexpr int64_t kRecord = 1 + kChannels * kSide * kSide;
constexpr int kTrainFiles = 5;

}  // namespace

Dataset read_cifar10_file(const std::filesystem::path& path) {
  const std::string bytes = read_decompressed(path);
  const auto n_bytes = static_cast<int64_t>(bytes.size());
  TORCH_CHECK(n_bytes > 0 && n_bytes % kRecord == 0, path.string(),
              " is cut short or no CIFAR-10 file: it should hold records of ", kRecord,
              " bytes, but holds ", n_bytes, " bytes");
  at::Tensor records = at::empty({n_bytes / kRecord, kRecord}, at::kByte);
  std::memcpy(records.mutable_data_ptr<uint8_t>(), bytes.data(), bytes.size());
  return {.name = "cifar10",
          .inputs = records.slice(1, 1).reshape({-1, kChannels, kSide, kSide}).contiguous(),
          .targets = checked_labels(records.select(1, 0), kClasses, path),
          .n_classes = kClasses};
}

std::vector<std::filesystem::path> cifar10_files(const std::filesystem::path& folder) {
  const std::filesystem::path unpacked = folder / "cifar-10-batches-bin";
  const std::filesystem::path& source = std::filesystem::is_directory(unpacked) ? unpacked : folder;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i <= kTrainFiles; ++i) {
    files.push_back(find_file(source, "data_batch_" + std::to_string(i) + ".bin"));
  }
  files.push_back(find_file(source, "test_batch.bin"));
  return files;
}

DataSplits read_cifar10_folder(const std::filesystem::path& folder) {
  const std::vector<std::filesystem::path> files = cifar10_files(folder);
  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> targets;
  for (int i = 0; i < kTrainFiles; ++i) {
    const Dataset part = read_cifar10_file(files[static_cast<size_t>(i)]);
    inputs.push_back(part.inputs);
    targets.push_back(part.targets);
  }
  const Dataset test = read_cifar10_file(files.back());
  Dataset train = test;
  train.inputs = at::cat(inputs);
  train.targets = at::cat(targets);
  return {.train = train, .test = test};
}

}  // namespace retia
