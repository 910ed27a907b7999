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

/// The complete state from which a run continues.
struct Checkpoint {
  nlohmann::json state;                       ///< finite numbers only
  std::map<std::string, at::Tensor> tensors;  ///< on any device when saved; on the CPU when read
};

/// Writes a checkpoint as one safetensors file, atomically. The metadata hold the format
/// "retia.checkpoint", version 1, the state as JSON text, and a CRC-32 over state and tensors.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Reads a checkpoint that write_checkpoint wrote. Throws one line that names the file when it is
/// missing, truncated, damaged or of another version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// The checkpoints of one run: step-000120.safetensors and so on, in one folder, of which the
/// latest few and the best are kept. Every change is atomic: whenever the process is killed, the
/// previous checkpoint stays readable.
class CheckpointStore {
 public:
  /// Uses `folder`, which is created when first needed. `keep`: the number of latest checkpoints to
  /// keep, ≥ 1.
  explicit CheckpointStore(std::filesystem::path folder, int64_t keep = 2);

  /// Writes the checkpoint of `step` (from 0), then removes checkpoints that are no longer kept.
  /// Later steps, left over when a run continued from an earlier step, are removed too.
  void save(int64_t step, const Checkpoint& checkpoint);

  /// Keeps the checkpoint of `step` as best.safetensors until another one is marked. Throws where
  /// there is no such checkpoint.
  void mark_best(int64_t step);

  /// Returns the steps that have a checkpoint, ascending; empty where the folder is missing.
  std::vector<int64_t> steps() const;

  /// Returns the latest readable checkpoint; none where there is no checkpoint. For each damaged
  /// one, a line is passed to `warn` and the one before it is tried. Throws when all are damaged,
  /// or were written by another version.
  std::optional<Checkpoint> newest(const std::function<void(const std::string&)>& warn) const;

  /// Returns the checkpoint marked best; none where none is marked. Throws when it is damaged.
  std::optional<Checkpoint> best() const;

  /// Returns the path of the checkpoint of `step`, whether or not the file exists.
  std::filesystem::path path(int64_t step) const;

 private:
  void remove_others(int64_t newest_step) const;

  std::filesystem::path folder_;
  int64_t keep_;
};

}  // namespace retia
