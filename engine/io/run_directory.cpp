#include "retia/engine/io/run_directory.h"

#include <c10/util/Exception.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "retia/engine/base/json_difference.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/folders.h"

namespace retia {
namespace {

using nlohmann::json;

constexpr const char* kLockFile = "lock";
constexpr const char* kConfigFile = "config.json";
constexpr const char* kFinishedFile = "finished.json";
constexpr const char* kConfigFormat = "retia.config";
constexpr int64_t kRunVersion = 1;
/// Names of options, or of sections, whatever they belong to.
constexpr std::array<const char*, 23> kHarmless = {
    "threads",      "quiet",        "resume", "device",       "out",        "max_trials",
    "max_duration", "concurrency",  "merge",  "runner",       "time_limit", "timeout",
    "digest_every", "keep_weights", "extend", "allow_change", "tag",        "note",
    "require_lock", "max_failures", "retry",  "enqueue",      "import"};

/// Throws at the first option that differs and is not harmless.
void check_unchanged(const std::filesystem::path& path, const json& before, const json& now) {
  for (const JsonChange& change : changes_between(before, now)) {
    // Versions differ in the options that their commands have; what shapes a run is in both.
    const bool is_of_one_version = change.key.starts_with("run.") && !change.is_in_both;
    TORCH_CHECK(is_harmless_option(change.key) || is_of_one_version, path.string(),
                " holds a run with other options: ", to_string(change),
                ": give the same, or another --out");
  }
}

/// Returns whether the folder holds anything except the files of a process that was killed before
/// its run began.
bool holds_files(const std::filesystem::path& path) {
  const auto counts = [](const std::filesystem::directory_entry& entry) {
    const auto name = entry.path().filename();
    return name != kLockFile && name != std::string(kConfigFile) + ".tmp";
  };
  const auto entries = std::filesystem::directory_iterator(path);
  return std::any_of(begin(entries), end(entries), counts);
}

Locking locking_of(const json& config) {
  return config.value("/run/require_lock"_json_pointer, true) ? Locking::Required
                                                              : Locking::IfSupported;
}

/// Returns whether `evaluator` or one inside it runs a command, which may hold a password.
bool holds_command(const json& evaluator) {
  if (!evaluator.is_structured()) {
    return false;
  }
  const json command = evaluator.is_object() ? evaluator.value("command", json()) : json();
  if (command.is_string() && command != "") {
    return true;
  }
  return std::any_of(evaluator.begin(), evaluator.end(), holds_command);
}

/// Returns who may read the files of a run that hold its options.
Readers readers_of(const json& config) {
  return holds_command(config.value("evaluator", json())) ? Readers::Owner : Readers::All;
}

void write_config(const std::filesystem::path& folder, const json& config) {
  write_json(folder / kConfigFile, config, readers_of(config));
}

/// Returns the device and the inode of a folder; zeros where it is missing.
std::pair<uint64_t, uint64_t> identity_of(const std::filesystem::path& path) {
  struct stat found = {};
  return ::stat(path.c_str(), &found) == 0
             ? std::pair<uint64_t, uint64_t>(found.st_dev, found.st_ino)
             : std::pair<uint64_t, uint64_t>(0, 0);
}

void check_is_folder(const std::filesystem::path& path) {
  TORCH_CHECK(std::filesystem::is_directory(path), path.string(),
              " is a file: give a folder as --out");
}

}  // namespace

bool is_harmless_option(const std::string& key) {
  const auto is_part = [&](const std::string& name) {
    return ("." + key + ".").find("." + name + ".") != key.npos;
  };
  return std::any_of(kHarmless.begin(), kHarmless.end(), is_part);
}

RunDirectory::RunDirectory(std::filesystem::path path, RunState state, Locking locking)
    : path_(std::move(path)),
      locking_(locking),
      lock_(std::in_place, path_ / kLockFile, locking),
      folder_(identity_of(path_)),
      state_(state) {}

RunDirectory RunDirectory::create(const std::filesystem::path& path, const json& config) {
  TORCH_CHECK(config.is_object(), path.string(), ": expected an object as config, but got ",
              config.dump());
  const bool was_there = std::filesystem::exists(path);
  if (was_there) {
    check_is_folder(path);
    TORCH_CHECK(!std::filesystem::exists(path / kConfigFile), path.string(),
                " already holds a run: give another --out, or continue it with --resume");
    TORCH_CHECK(!holds_files(path), path.string(),
                " holds other files: give another --out, or an empty folder");
  }
  make_folders(path);

  RunDirectory directory(path, RunState::New, locking_of(config));
  TORCH_CHECK(!holds_files(path), "another process has started a run in ", path.string(),
              ": give another --out");
  json document = config;
  document["format"] = kConfigFormat;
  document["version"] = kRunVersion;
  directory.config_ = document;
  try {
    write_config(path, document);
  } catch (const c10::Error&) {
    std::error_code ignored;
    std::filesystem::remove(path / kLockFile, ignored);
    if (!was_there) {
      std::filesystem::remove(path, ignored);
    }
    throw;
  }
  return directory;
}

RunDirectory RunDirectory::resume(const std::filesystem::path& path, const json& config,
                                  const Check& check) {
  if (!std::filesystem::exists(path)) {
    return create(path, config);
  }
  check_is_folder(path);
  if (!std::filesystem::exists(path / kConfigFile)) {
    TORCH_CHECK(!holds_files(path), path.string(), " holds files but no run (no ", kConfigFile,
                "): give another --out");
    return create(path, config);
  }
  RunDirectory directory(path, RunState::Unfinished, locking_of(config));
  json before = read_format(path / kConfigFile, kConfigFormat, kRunVersion);
  directory.config_ = before;
  json now = config;
  for (const char* header : {"format", "version"}) {
    before.erase(header);
    now.erase(header);
  }
  if (check) {
    check(before);
  } else {
    check_unchanged(path, before, now);
  }
  if (std::filesystem::exists(path / kFinishedFile)) {
    directory.state_ = RunState::Finished;
  }
  return directory;
}

bool RunDirectory::is_in_use(const std::filesystem::path& path) {
  return LockFile::is_held(path / kLockFile);
}

bool RunDirectory::was_removed() const {
  const bool has_config = std::filesystem::exists(path_ / kConfigFile);
  if (has_config && identity_of(path_) == folder_) {
    return false;
  }
  const std::filesystem::path place = lock_->place();
  const std::filesystem::path now = place.parent_path();
  const bool was_moved =
      !place.empty() && identity_of(now) == folder_ && identity_of(path_) != folder_;
  TORCH_CHECK(!was_moved, path_.string(), " was moved to ", now.string(),
              " while the run was working: continue it there, with --out ", now.string(),
              " --resume");
  TORCH_CHECK(!has_config, path_.string(),
              " was replaced by another run while this one was working: give another --out");
  return true;
}

void RunDirectory::keep(std::function<void(const std::filesystem::path& folder)> write) {
  write(path_);
  kept_.push_back(std::move(write));
}

void RunDirectory::create_again() {
  make_folders(path_);
  lock_.emplace(path_ / kLockFile, locking_);
  write_config(path_, config_);
  folder_ = identity_of(path_);
  for (const auto& write : kept_) {
    write(path_);
  }
}

void RunDirectory::check_is_there() const {
  TORCH_CHECK(!was_removed(), path_.string(),
              " was removed while the run was working: give the command again");
}

void RunDirectory::mark_finished(const json& results) {
  check_is_there();
  json document = results;
  document["format"] = "retia.finished";
  document["version"] = kRunVersion;
  write_json(path_ / kFinishedFile, document);
  state_ = RunState::Finished;
}

void RunDirectory::write(const std::string& name, const json& document) {
  keep([=, readers = readers_of(config_)](const std::filesystem::path& folder) {
    write_json(folder / name, document, readers);
  });
}

void RunDirectory::reopen() {
  std::filesystem::remove(path_ / kFinishedFile);
  state_ = RunState::Unfinished;
}

}  // namespace retia
