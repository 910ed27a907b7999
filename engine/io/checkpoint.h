#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace retia {

/// All that a run needs to continue.
struct Checkpoint {
  nlohmann::json state;                       ///< finite numbers only
  std::map<std::string, at::Tensor> tensors;  ///< of any device when saved; on the CPU when read
};

/// Writes one checkpoint as one safetensors file, atomically. Its metadata hold format
/// "retia.checkpoint", version 1, the state as JSON text, and a CRC-32 over state and tensors.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads what write_checkpoint wrote. Throws one line that names the file when it is missing,
/// truncated, damaged or of another version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The checkpoints of one run: step-000120.safetensors and so on in one folder, the last few and
/// the best. Every change is atomic: a process killed at any moment leaves the one before readable.
class CheckpointStore {
 public:
  /// The folder is made when first needed. keep: how many of the latest to keep, from 1.
  explicit CheckpointStore(std::filesystem::path folder, int64_t keep = 2);

  /// Writes the checkpoint of `step` (from 0), then removes those that are no longer to be kept,
  /// also later ones, which a run that fell back to an earlier step leaves behind.
  void save(int64_t step, const Checkpoint& checkpoint);

  /// Keeps the checkpoint of `step` as best.safetensors until another is marked. Throws if there is
  /// none.
  void mark_best(int64_t step);

  /// The steps whose checkpoints are there, ascending; none when the folder is missing.
  std::vector<int64_t> steps() const;

  /// The latest readable checkpoint; nothing when there are none. Each damaged one costs a line to
  /// `warn` and gives way to the one before. Throws when all are damaged, or written by another
  /// version.
  std::optional<Checkpoint> newest(const std::function<void(const std::string&)>& warn) const;

  /// The checkpoint marked best; nothing when none is. Throws when it is damaged.
  std::optional<Checkpoint> best() const;

  std::filesystem::path path(int64_t step) const;

 private:
  void remove_others(int64_t newest_step) const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace retia
