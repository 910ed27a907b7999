#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/io/lock_file.h"

namespace retia {

/// Returns whether the option `key` ("run.threads") may differ when a run is resumed: it changes no
/// results, or only where and how far the run goes.
bool is_harmless_option(const std::string& key);

/// The states of a run found in a folder.
enum class RunState { New, Unfinished, Finished };

/// The folder of one run: config.json, checkpoints/ and the other files that the run writes. While
/// this object lives it holds a lock on the folder (see LockFile).
class RunDirectory {
 public:
  /// Creates the folder, or uses an empty one, and writes `config` (an object) into it, for its
  /// owner alone to read where an evaluator's command is in it. Throws
  /// where `path` holds a run or any files, or cannot be written; nothing is then left there.
  /// `/run/require_lock` of `config`: false where a file system without locks is admitted.
  static RunDirectory create(const std::filesystem::path& path, const nlohmann::json& config);

  /// A function that throws where a run with the configuration `before` must not be resumed.
  using Check = std::function<void(const nlohmann::json& before)>;

  /// Like create where `path` is missing or empty; else opens the run in it, and state() tells
  /// whether it had finished. `check`: null: throws, naming the first key, where `config` differs
  /// from the configuration that the run was started with in an option that is not harmless.
  /// config.json is not rewritten. Throws when another process is running there.
  static RunDirectory resume(const std::filesystem::path& path, const nlohmann::json& config,
                             const Check& check = nullptr);

  /// Returns whether a process is running in the folder `path` now.
  static bool is_in_use(const std::filesystem::path& path);

  /// Returns the state found when the folder was opened: New for a run that starts here.
  RunState state() const { return state_; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// Writes finished.json, which marks the run as complete, with `results`, an object. Throws where
  /// the folder has gone.
  void mark_finished(const nlohmann::json& results = nlohmann::json::object());
  /// Writes a JSON file into the folder, now and in create_again(), for its owner alone to read where
  /// config.json is.
  void write(const std::string& name, const nlohmann::json& document);
  /// Takes the mark of a finished run away, which then goes on.
  void reopen();

  /// Returns whether the folder was removed since it was opened, or since create_again(). Throws one
  /// line where it was moved, which names the new place, and where it was replaced by another run.
  bool was_removed() const;

  /// Writes what a run has in its folder from its start on: calls `write` with the folder, now and
  /// in create_again().
  void keep(std::function<void(const std::filesystem::path& folder)> write);

  /// Creates a folder that was removed again, with the lock, config.json and what is kept, for what a
  /// run holds in memory.
  void create_again();

 private:
  /// Takes the lock. Throws when another process is running there.
  RunDirectory(std::filesystem::path path, RunState state, Locking locking);

  void check_is_there() const;

  std::filesystem::path path_;
  Locking locking_;
  std::optional<LockFile> lock_;
  std::pair<uint64_t, uint64_t> folder_;  // device and inode
  RunState state_;
  nlohmann::json config_;  // of config.json
  std::vector<std::function<void(const std::filesystem::path&)>> kept_;
};

}  // namespace retia
