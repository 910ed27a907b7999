#pragma once

#include <filesystem>

namespace retia {

/// The treatment of a file system that has no locks (Lustre mounted without flock, NFS without
/// lockd).
enum class Locking {
  Required,    ///< an error, which says what to do
  IfSupported  ///< none is taken: the user sees to it that one process at a time works there
};

/// Returns whether the file system of a file has locks; true where the file cannot be opened.
bool has_locks(const std::filesystem::path& file);

/// Locks the folder in which the file `path` lies against other processes while this object lives;
/// the number of this process is written into the file. The system releases the lock when the
/// process dies. A child that is forked and does not exec shares the lock.
class LockFile {
 public:
  /// Takes the lock. Throws one line that names the process which holds it.
  explicit LockFile(const std::filesystem::path& path, Locking locking = Locking::Required);
  /// Takes the lock over from `other`, which holds none afterwards.
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

  /// Returns whether a process holds the lock of `path` now.
  static bool is_held(const std::filesystem::path& path);

  /// Returns where the locked file is now; empty where it was removed.
  std::filesystem::path place() const;

 private:
  int descriptor_;
};

}  // namespace retia
