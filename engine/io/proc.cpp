#include "retia/engine/io/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace retia {
namespace {

constexpr int kParent = 1, kSession = 3, kResident = 21;  // fields of stat behind the state

/// Returns the number that a name in /proc is; 0: it is none.
pid_t number_of(const char* name) {
  char* end = nullptr;
  const long number = std::strtol(name, &end, 10);
  return *end == '\0' && number > 0 ? static_cast<pid_t>(number) : 0;
}

/// Writes "/proc/<process>/stat" into `path`.
void write_path(pid_t process, char* path) {
  std::array<char, 16> digits;
  size_t n = 0;
  for (pid_t rest = process; rest > 0; rest /= 10) {
    digits[n++] = static_cast<char>('0' + rest % 10);
  }
  path = std::strcpy(path, "/proc/") + std::strlen("/proc/");
  while (n > 0) {
    *path++ = digits[--n];
  }
  std::strcpy(path, "/stat");
}

}  // namespace

ProcessState state_of(pid_t process) {
  std::array<char, 64> path;
  write_path(process, path.data());
  const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return {};
  }
  std::array<char, 1024> text{};
  const ssize_t n = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  // The second field is the program's name in parentheses, which may hold anything.
  const char* const name = n > 0 ? std::strchr(text.data(), '(') : nullptr;
  const char* const name_end = n > 0 ? std::strrchr(text.data(), ')') : nullptr;
  if (name == nullptr || name_end == nullptr || name_end[1] != ' ') {
    return {};
  }
  const size_t length = std::strlen(kKeeperName);
  ProcessState found{.state = name_end[2]};
  found.is_keeper = name_end - name == static_cast<long>(length) + 1 &&
                    std::strncmp(name + 1, kKeeperName, length) == 0;
  char* field = const_cast<char*>(name_end) + 3;
  for (int i = 1; i <= kResident; ++i) {
    const auto value = static_cast<int64_t>(std::strtoull(field, &field, 10));
    found.parent = i == kParent ? static_cast<pid_t>(value) : found.parent;
    found.session = i == kSession ? static_cast<pid_t>(value) : found.session;
    found.resident_pages = value;
  }
  return found;
}

ProcessTable::ProcessTable() : descriptor_(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

ProcessTable::~ProcessTable() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

pid_t ProcessTable::next() {
  while (descriptor_ >= 0) {
    if (at_ >= n_bytes_) {
      n_bytes_ = ::syscall(SYS_getdents64, descriptor_, entries_, sizeof entries_);
      at_ = 0;
    }
    if (n_bytes_ <= 0) {
      return 0;
    }
    const auto* entry = reinterpret_cast<const dirent64*>(entries_ + at_);
    at_ += entry->d_reclen;
    if (const pid_t process = number_of(entry->d_name); process > 0) {
      return process;
    }
  }
  return 0;
}

}  // namespace retia
