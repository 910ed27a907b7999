#include "retia/engine/io/lock_file.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "retia/engine/io/failed_write.h"

namespace retia {
namespace {

bool means_no_locks(int failure) {
  return failure == ENOLCK || failure == ENOSYS || failure == EOPNOTSUPP;
}

/// A descriptor that holds the lock.
int locked(const std::filesystem::path& path, Locking locking) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  TORCH_CHECK(descriptor >= 0, path.string(), ": cannot be written: ", reason_and_remedy(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 ||
      (locking == Locking::IfSupported && means_no_locks(errno))) {
    const std::string pid = std::to_string(::getpid());
    const bool written =
        ::ftruncate(descriptor, 0) == 0 && ::write(descriptor, pid.data(), pid.size()) >= 0;
    if (written) {
      return descriptor;
    }
  }
  const int failure = errno;
  std::array<char, 32> pid = {};
  const ssize_t n_read = ::pread(descriptor, pid.data(), pid.size() - 1, 0);
  ::close(descriptor);
  TORCH_CHECK(failure != EWOULDBLOCK, "another process is running in ", path.parent_path().string(),
              " (pid ", n_read > 0 ? pid.data() : "unknown",
              "): wait for it, or give another --out");
  TORCH_CHECK(!means_no_locks(failure), path.string(), ": its file system has no locks (",
              std::strerror(failure),
              "): give a folder of another one, see docs/clusters.md, or, where you see to it that "
              "one process at a time works there, --set run.require_lock=false");
  TORCH_CHECK(false, path.string(), ": cannot be locked: ", reason_and_remedy(failure));
}

}  // namespace

bool has_locks(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return true;
  }
  const bool has = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0 || !means_no_locks(errno);
  ::close(descriptor);
  return has;
}

LockFile::LockFile(const std::filesystem::path& path, Locking locking)
    : descriptor_(locked(path, locking)) {}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile::~LockFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

std::filesystem::path LockFile::place() const {
  struct stat file = {};
  if (::fstat(descriptor_, &file) != 0 || file.st_nlink == 0) {
    return {};
  }
  std::error_code failure;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor_), failure);
}

bool LockFile::is_held(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return false;
  }
  const bool is_held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return is_held;
}

}  // namespace retia
