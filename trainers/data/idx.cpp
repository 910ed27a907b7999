#include "retia/trainers/data/idx.h"

#include <ATen/ops/empty.h>

#include <array>
#include <cstring>
#include <string>

#include "retia/trainers/data/compressed_file.h"
#include "retia/trainers/data/labels.h"

namespace retia {
namespace {

constexpr uint32_t kImagesMagic = 2051;
constexpr uint32_t kLabelsMagic = 2049;
constexpr size_t kWord = 4;

uint32_t big_endian_word(const std::string& bytes, size_t index) {
  uint32_t word = 0;
  for (size_t i = 0; i < kWord; ++i) {
    word = word << 8 | static_cast<uint8_t>(bytes[index * kWord + i]);
  }
  return word;
}

/// The unsigned bytes after a header of `magic` and the sizes of `n_dims` dimensions, in that
/// shape.
at::Tensor read_idx(const std::filesystem::path& path, uint32_t magic, size_t n_dims) {
  const std::string bytes = read_decompressed(path);
  const size_t header = (1 + n_dims) * kWord;
  TORCH_CHECK(bytes.size() >= header, path.string(), " is cut short: an IDX header has ", header,
              " bytes, the file only ", bytes.size());
  const uint32_t found = big_endian_word(bytes, 0);
  TORCH_CHECK(found == magic, path.string(), " is no IDX file of ",
              magic == kImagesMagic ? "images" : "labels", ": it should begin with the number ",
              magic, ", but begins with ", found);
  std::vector<int64_t> sizes;
  unsigned __int128 n_bytes = 1;
  for (size_t dim = 1; dim <= n_dims; ++dim) {
    sizes.push_back(big_endian_word(bytes, dim));
    n_bytes *= static_cast<uint64_t>(sizes.back());
  }
  TORCH_CHECK(n_bytes > 0, path.string(), " is empty: its header says ", at::IntArrayRef(sizes));
  TORCH_CHECK(n_bytes == bytes.size() - header, path.string(), " is damaged: its header says ",
              at::IntArrayRef(sizes), " bytes, but ", bytes.size() - header, " follow");
  at::Tensor values = at::empty(sizes, at::kByte);
  std::memcpy(values.mutable_data_ptr<uint8_t>(), bytes.data() + header, bytes.size() - header);
  return values;
}

Dataset read_part(const std::filesystem::path& folder, const std::string& part, int64_t n_classes) {
  const std::filesystem::path images = find_file(folder, part + "-images-idx3-ubyte");
  const std::filesystem::path labels = find_file(folder, part + "-labels-idx1-ubyte");
  Dataset set = {.name = folder.filename().string(),
                 .inputs = read_idx_images(images),
                 .targets = read_idx_labels(labels, n_classes),
                 .n_classes = n_classes};
  TORCH_CHECK(set.inputs.size(0) == set.targets.size(0), images.string(), " holds ",
              set.inputs.size(0), " images, but ", labels.string(), " ", set.targets.size(0),
              " labels");
  return set;
}

}  // namespace

at::Tensor read_idx_images(const std::filesystem::path& path) {
  return read_idx(path, kImagesMagic, 3).unsqueeze(1);
}

at::Tensor read_idx_labels(const std::filesystem::path& path, int64_t n_classes) {
  return checked_labels(read_idx(path, kLabelsMagic, 1), n_classes, path);
}

DataSplits read_idx_folder(const std::filesystem::path& folder, int64_t n_classes) {
  DataSplits splits = {.train = read_part(folder, "train", n_classes),
                       .test = read_part(folder, "t10k", n_classes)};
  const std::vector<int64_t> expected = splits.train.sample_shape();
  TORCH_CHECK(splits.test.sample_shape() == expected, folder.string(), " holds training images of ",
              at::IntArrayRef(expected), " but test images of ",
              at::IntArrayRef(splits.test.sample_shape()));
  return splits;
}

}  // namespace retia
