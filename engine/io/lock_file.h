#pragma once

#include <filesystem>

namespace retia {

/// Locks the folder in which the file `path` lies against other processes while this object lives;
/// the number of this process is written into the file. The system releases the lock when the
/// process dies. A child that is forked and does not exec shares the lock.
class LockFile {
 public:
  /// Takes the lock. Throws one line that names the process which holds it.
  explicit LockFile(const std::filesystem::path& path);
  /// Takes the lock over from `other`, which holds none afterwards.
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

  /// Returns whether a process holds the lock of `path` now.
  static bool is_held(const std::filesystem::path& path);

 private:
  int descriptor_;
};

}  // namespace retia
