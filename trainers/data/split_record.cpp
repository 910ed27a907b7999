#include "retia/trainers/data/split_record.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "retia/engine/base/random.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/safetensors.h"

namespace retia {
namespace {

constexpr const char* kFormat = "retia.split";
constexpr int64_t kVersion = 1;

/// Returns a hash of some bytes, eight at a time.
uint64_t hash_of(const char* bytes, size_t n) {
  uint64_t hash = n;
  for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min(sizeof word, n - at));
    hash = mix({hash, word});
  }
  return hash;
}

std::string hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

Json described(const std::vector<uint64_t>& hashes) {
  const auto* const bytes = reinterpret_cast<const char*>(hashes.data());
  return {{"samples", hashes.size()},
          {"digest", hex(hash_of(bytes, hashes.size() * sizeof(uint64_t)))}};
}

at::Tensor tensor_of(const std::vector<uint64_t>& hashes) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(hashes.size())}, at::kLong);
  std::memcpy(tensor.mutable_data_ptr(), hashes.data(), hashes.size() * sizeof(uint64_t));
  return tensor;
}

std::vector<uint64_t> hashes_of(const TensorFile& file, const char* part,
                                const std::filesystem::path& path) {
  const auto found = file.tensors.find(part);
  TORCH_CHECK(found != file.tensors.end() && found->second.scalar_type() == at::kLong &&
                  found->second.dim() == 1,
              path.string(), " is damaged: it holds no hashes '", part, "'");
  std::vector<uint64_t> hashes(static_cast<size_t>(found->second.numel()));
  std::memcpy(hashes.data(), found->second.const_data_ptr(), hashes.size() * sizeof(uint64_t));
  return hashes;
}

std::vector<uint64_t> at_indices(const std::vector<uint64_t>& hashes,
                                 const std::vector<int64_t>& indices) {
  std::vector<uint64_t> some;
  for (const int64_t index : indices) {
    some.push_back(hashes.at(static_cast<size_t>(index)));
  }
  return some;
}

}  // namespace

std::vector<uint64_t> content_hashes(const Dataset& set) {
  const at::Tensor inputs = set.inputs.cpu().contiguous();
  const std::string_view bytes = raw_bytes(inputs);
  const size_t n_bytes = set.size() == 0 ? 0 : bytes.size() / static_cast<size_t>(set.size());
  std::vector<uint64_t> hashes;
  for (int64_t i = 0; i < set.size(); ++i) {
    hashes.push_back(hash_of(bytes.data() + static_cast<size_t>(i) * n_bytes, n_bytes));
  }
  return hashes;
}

SplitRecord record_of(const DataSplits& data, const Split& split, double valid_fraction,
                      uint64_t seed) {
  const std::vector<uint64_t> hashes = content_hashes(data.train);
  return {.valid_fraction = valid_fraction,
          .seed = seed,
          .train = at_indices(hashes, split.train),
          .valid = at_indices(hashes, split.valid),
          .test = content_hashes(data.test)};
}

Json to_json(const SplitRecord& record) {
  return {{"format", kFormat},
          {"version", kVersion},
          {"valid_fraction", record.valid_fraction},
          {"seed", record.seed},
          {"train", described(record.train)},
          {"valid", described(record.valid)},
          {"test", described(record.test)}};
}

void write_split(const std::filesystem::path& run, const SplitRecord& record) {
  write_safetensors(run / "split.safetensors", {{{"train", tensor_of(record.train)},
                                                 {"valid", tensor_of(record.valid)},
                                                 {"test", tensor_of(record.test)}},
                                                {}});
  write_json(run / "split.json", to_json(record));
}

std::optional<SplitRecord> read_split(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "split.json";
  if (!std::filesystem::exists(path)) {
    return std::nullopt;
  }
  const Json json = read_format(path, kFormat, kVersion);
  const TensorFile file = read_safetensors(run / "split.safetensors");
  const std::string hashes = (run / "split.safetensors").string();
  SplitRecord record{.valid_fraction = json.value("valid_fraction", 0.0),
                     .seed = json.value("seed", uint64_t{0}),
                     .train = hashes_of(file, "train", hashes),
                     .valid = hashes_of(file, "valid", hashes),
                     .test = hashes_of(file, "test", hashes)};
  TORCH_CHECK(to_json(record) == json, path.string(),
              " is damaged: it does not describe the hashes in split.safetensors");
  return record;
}

std::vector<int64_t> found_in(const std::vector<uint64_t>& hashes,
                              const std::vector<uint64_t>& others) {
  const std::unordered_set<uint64_t> known(others.begin(), others.end());
  std::vector<int64_t> found;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (known.contains(hashes[i])) {
      found.push_back(static_cast<int64_t>(i));
    }
  }
  return found;
}

}  // namespace retia
