#pragma once

#include <sys/types.h>

#include <cstdint>

namespace retia {

/// The state of a process, from /proc. `state` is 0 where the process is gone, 'Z' where it has
/// ended and its parent has not asked after it.
struct ProcessState {
  char state = 0;
  pid_t parent = 0;
  pid_t session = 0;
  int64_t resident_pages = 0;
  bool is_keeper = false;  ///< a process that guards a command, see keeper.h
};

/// The name that keepers have in /proc.
constexpr const char* kKeeperName = "retia-keeper";

/// Returns the state of a process. Safe after a fork of a process with threads.
ProcessState state_of(pid_t process);

/// Lists the processes of this machine. Safe after a fork of a process with threads: allocates
/// nothing.
class ProcessTable {
 public:
  ProcessTable();
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;
  ~ProcessTable();

  /// Returns the next process; 0: there are no more.
  pid_t next();

 private:
  int descriptor_;
  long n_bytes_ = 0, at_ = 0;  // in entries_: read, and passed
  alignas(8) char entries_[4096];
};

}  // namespace retia
