#include "retia/engine/io/session.h"

#include <signal.h>
#include <unistd.h>

#include <map>
#include <set>

#include "retia/engine/io/proc.h"

namespace retia {
namespace {

std::map<pid_t, ProcessState> living_processes() {
  std::map<pid_t, ProcessState> living;
  ProcessTable table;
  while (const pid_t process = table.next()) {
    const ProcessState state = state_of(process);
    if (state.state != 0 && state.state != 'Z') {
      living[process] = state;
    }
  }
  return living;
}

}  // namespace

int64_t memory_of_session(pid_t leader) {
  const std::map<pid_t, ProcessState> living = living_processes();
  std::set<pid_t> members;
  size_t n_before = 0;
  do {
    n_before = members.size();
    for (const auto& [process, state] : living) {
      if (state.session == leader || members.contains(state.parent)) {
        members.insert(process);
      }
    }
  } while (members.size() > n_before);
  int64_t pages = 0;
  for (const pid_t member : members) {
    const ProcessState& state = living.at(member);
    pages += state.is_keeper ? 0 : state.resident_pages;
  }
  return pages * ::sysconf(_SC_PAGESIZE);
}

void kill_session(pid_t leader) {
  // Whatever one of them has started while the first round went by is met by the second.
  for (int round = 0; round < 2; ++round) {
    ProcessTable table;
    while (const pid_t process = table.next()) {
      const ProcessState state = state_of(process);
      if (state.state != 0 && state.state != 'Z' && state.session == leader) {
        ::kill(process, SIGKILL);
      }
    }
  }
}

}  // namespace retia
