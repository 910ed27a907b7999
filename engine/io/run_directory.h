#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/io/lock_file.h"

namespace retia {

enum class RunState { New, Unfinished, Finished };

/// The folder of one run: config.json, checkpoints/ and whatever the run writes there. While this
/// object lives it holds a lock on the folder (see LockFile).
class RunDirectory {
 public:
  /// Makes the folder, or takes an empty one, and writes `config` (an object) into it. Throws when
  /// `path` holds a run or any files, or cannot be written; then nothing is left there.
  static RunDirectory create(const std::filesystem::path& path, const nlohmann::json& config);

  /// As create when `path` is missing or empty; else takes the run that it holds, whose state()
  /// says whether it had finished. Throws when `config` differs from the one it was started with,
  /// naming the first key that does; keys that change no result (threads, quiet, resume, device,
  /// out), or only how far a run goes and where (max_trials, max_duration, concurrency, merge,
  /// runner), may differ, and config.json stays as it was. Throws when another process is running
  /// there.
  static RunDirectory resume(const std::filesystem::path& path, const nlohmann::json& config);

  /// What was found: New for a run that starts here.
  RunState state() const { return state_; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// Writes finished.json, by which later processes know that nothing is left to do.
  void mark_finished();

 private:
  /// Throws when another process is running there.
  RunDirectory(std::filesystem::path path, RunState state);

  std::filesystem::path path_;
  LockFile lock_;
  RunState state_;
};

}  // namespace retia
