#include "retia/engine/io/checkpoint.h"

#include <c10/util/Exception.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include "retia/engine/io/failed_write.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/folders.h"
#include "retia/engine/io/safetensors.h"

namespace retia {
namespace {

using nlohmann::json;

constexpr const char* kCheckpointFormat = "retia.checkpoint";
constexpr int64_t kCheckpointVersion = 1;
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";

unsigned long crc(unsigned long before, std::string_view bytes) {
  return crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
}

/// Over the state's text, then, in the order of their names, each tensor's JSON description and
/// data: eight hexadecimal digits. Tensors are contiguous, on the CPU.
std::string checksum(const std::string& state, const std::map<std::string, at::Tensor>& tensors) {
  unsigned long sum = crc(0, state);
  for (const auto& [name, tensor] : tensors) {
    sum = crc(sum, json({name, safetensors_dtype(tensor), tensor.sizes().vec()}).dump());
    sum = crc(sum, raw_bytes(tensor));
  }
  std::array<char, 9> text;
  std::snprintf(text.data(), text.size(), "%08lx", sum);
  return text.data();
}

std::string text_of(const json& state, std::string_view where) {
  check_finite(state, where);
  try {
    return state.dump();
  } catch (const json::exception& error) {
    TORCH_CHECK(false, where, ": the state cannot be written as JSON: ", error.what());
  }
}

/// A file that cannot be what was written; another version is no damage, and throws as it is.
class Damage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

TensorFile read_undamaged(const std::filesystem::path& path) {
  try {
    return read_safetensors(path);
  } catch (const c10::Error& error) {
    throw Damage(error.what_without_backtrace());
  }
}

Checkpoint parse_checkpoint(const std::filesystem::path& path) {
  TensorFile file = read_undamaged(path);
  const auto metadata = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  const json version = json::parse(metadata("version"), nullptr, false);
  check_format({{"format", metadata("format")}, {"version", version}}, path.string(),
               kCheckpointFormat, kCheckpointVersion);
  const std::string state = metadata("state");
  const std::string found = checksum(state, file.tensors);
  if (found != metadata("crc32")) {
    throw Damage(path.string() + ": its checksum is " + found + ", but " + metadata("crc32") +
                 " was written: the file is damaged");
  }
  return {.state = json::parse(state), .tensors = std::move(file.tensors)};
}

std::optional<int64_t> step_of(const std::string& name) {
  int64_t step = 0;
  const bool framed = name.size() > kPrefix.size() + kSuffix.size() && name.starts_with(kPrefix) &&
                      name.ends_with(kSuffix);
  if (!framed) {
    return std::nullopt;
  }
  const char* const end = name.data() + name.size() - kSuffix.size();
  const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, step);
  return parsed.ec == std::errc() && parsed.ptr == end && step >= 0 ? std::optional(step)
                                                                    : std::nullopt;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
  }
  return names;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  const std::string state = text_of(checkpoint.state, path.string());
  TensorFile file;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    TORCH_CHECK(tensor.defined(), path.string(), ": tensor '", name, "' is undefined");
    file.tensors[name] = storable(tensor);
  }
  file.metadata = {{"format", kCheckpointFormat},
                   {"version", std::to_string(kCheckpointVersion)},
                   {"state", state},
                   {"crc32", checksum(state, file.tensors)}};
  write_safetensors(path, file);
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  try {
    return parse_checkpoint(path);
  } catch (const Damage& damage) {
    TORCH_CHECK(false, damage.what());
  }
}

CheckpointStore::CheckpointStore(std::filesystem::path folder, int64_t keep)
    : folder_(std::move(folder)), keep_(keep) {
  TORCH_CHECK(keep >= 1, folder_.string(), ": expected to keep at least 1 checkpoint, but got ",
              keep);
}

void CheckpointStore::save(int64_t step, const Checkpoint& checkpoint) {
  TORCH_CHECK(step >= 0, folder_.string(), ": expected a step from 0, but got ", step);
  make_folders(folder_);
  write_checkpoint(path(step), checkpoint);
  remove_others(step);
}

void CheckpointStore::mark_best(int64_t step) {
  TORCH_CHECK(std::filesystem::exists(path(step)), path(step).string(),
              ": cannot be marked as the best: there is no such checkpoint");
  const auto best = folder_ / "best.safetensors";
  const auto temporary = folder_ / "best.safetensors.tmp";
  std::error_code failure;
  std::filesystem::remove(temporary, failure);
  std::filesystem::create_hard_link(path(step), temporary, failure);
  if (failure) {
    // Not every file system has links.
    write_atomically(best, read_file(path(step)));
    return;
  }
  std::filesystem::rename(temporary, best, failure);
  TORCH_CHECK(!failure, best.string(), ": cannot be written: ", reason_and_remedy(failure.value()));
  // Where both names already meant the same file, renaming leaves both.
  std::filesystem::remove(temporary, failure);
}

std::vector<int64_t> CheckpointStore::steps() const {
  std::vector<int64_t> result;
  for (const std::string& name : names_in(folder_)) {
    if (const std::optional<int64_t> step = step_of(name)) {
      result.push_back(*step);
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::optional<Checkpoint> CheckpointStore::newest(
    const std::function<void(const std::string&)>& warn) const {
  std::vector<std::filesystem::path> candidates;
  for (const int64_t step : steps()) {
    candidates.insert(candidates.begin(), path(step));
  }
  // Older than these in general, so the last resort.
  if (const auto best = folder_ / "best.safetensors"; std::filesystem::exists(best)) {
    candidates.push_back(best);
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    try {
      return parse_checkpoint(candidates[i]);
    } catch (const Damage& damage) {
      const bool is_last = i + 1 == candidates.size();
      warn(is_last ? damage.what()
                   : std::string(damage.what()) + "; taking " +
                         candidates[i + 1].filename().string() + " instead");
    }
  }
  TORCH_CHECK(candidates.empty(), folder_.string(), ": none of its ", candidates.size(),
              " checkpoints can be read: start again with another --out");
  return std::nullopt;
}

std::optional<Checkpoint> CheckpointStore::best() const {
  const auto file = folder_ / "best.safetensors";
  return std::filesystem::exists(file) ? std::optional(read_checkpoint(file)) : std::nullopt;
}

std::filesystem::path CheckpointStore::path(int64_t step) const {
  std::array<char, 32> digits;
  std::snprintf(digits.data(), digits.size(), "%06lld", static_cast<long long>(step));
  return folder_ / (std::string(kPrefix) + digits.data() + std::string(kSuffix));
}

void CheckpointStore::remove_others(int64_t newest_step) const {
  std::vector<int64_t> present = steps();
  const auto end = std::upper_bound(present.begin(), present.end(), newest_step);
  const auto n_kept = std::min<int64_t>(keep_, end - present.begin());
  present.erase(end - n_kept, end);
  std::error_code ignored;
  for (const int64_t step : present) {
    std::filesystem::remove(path(step), ignored);
  }
  for (const std::string& name : names_in(folder_)) {
    if (name.ends_with(".tmp")) {
      std::filesystem::remove(folder_ / name, ignored);
    }
  }
}

}  // namespace retia
