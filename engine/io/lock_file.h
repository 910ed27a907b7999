#pragma once

#include <filesystem>

namespace retia {

/// Keeps other processes out of the folder of `path`, a file with the number of this process, while
/// this object lives. The system lets go of it when the process dies. A child that is forked and
/// does not exec shares the lock.
class LockFile {
 public:
  /// Throws one line that names the process which holds it.
  explicit LockFile(const std::filesystem::path& path);
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  int descriptor_;
};

}  // namespace retia
