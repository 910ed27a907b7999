#include "retia/engine/io/session.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace retia {
namespace {

struct ProcessState {
  char state = 0;
  pid_t session = 0;
  int64_t resident_pages = 0;
};

/// state is 0 where the process is gone.
ProcessState state_of(pid_t process) {
  const std::string path = "/proc/" + std::to_string(process) + "/stat";
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return {};
  }
  std::array<char, 1024> text{};
  const ssize_t n = ::read(file, text.data(), text.size() - 1);
  ::close(file);
  // The second field is the program's name in parentheses, which may hold anything.
  const char* rest = n > 0 ? std::strrchr(text.data(), ')') : nullptr;
  ProcessState found;
  long resident = 0;
  if (rest == nullptr ||
      std::sscanf(rest + 1,
                  " %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u "
                  "%*u %ld",
                  &found.state, &found.session, &resident) != 3) {
    return {};
  }
  found.resident_pages = resident;
  return found;
}

/// Calls `visit(process, its state)` for those of a session that live.
template <class Visit>
void each_process(pid_t session, const Visit& visit) {
  DIR* const processes = ::opendir("/proc");
  if (processes == nullptr) {
    return;
  }
  while (const dirent* entry = ::readdir(processes)) {
    const pid_t process = std::atoi(entry->d_name);
    if (process <= 0) {
      continue;
    }
    const ProcessState state = state_of(process);
    if (state.state != 0 && state.state != 'Z' && state.session == session) {
      visit(process, state);
    }
  }
  ::closedir(processes);
}

}  // namespace

int64_t memory_of_session(pid_t leader) {
  int64_t pages = 0;
  each_process(leader, [&](pid_t, const ProcessState& state) { pages += state.resident_pages; });
  return pages * ::sysconf(_SC_PAGESIZE);
}

void kill_session(pid_t leader) {
  // Whatever one of them has started while the first round went by is met by the second.
  for (int round = 0; round < 2; ++round) {
    each_process(leader, [](pid_t process, const ProcessState&) { ::kill(process, SIGKILL); });
  }
}

}  // namespace retia
