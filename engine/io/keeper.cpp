#include "retia/engine/io/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "retia/engine/io/proc.h"

// Code behind a fork of a process with threads must allocate nothing and take no lock.
namespace retia {
namespace {

constexpr int kReport = 3;           // the report's descriptor in a keeper
constexpr int kBeyond = 16;          // descriptors from here on collide with none of the first four
constexpr long kPause = 10'000'000;  // nanoseconds between two looks at children that are dying

/// Gives a keeper the command's streams as 0, 1 and 2 and the report as 3, and closes the rest.
void take_descriptors(const KeptCommand& command) {
  int taken[] = {command.in, command.out, command.err, command.report};
  for (int& descriptor : taken) {
    descriptor = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kBeyond);
  }
  for (int i = 0; i < 4; ++i) {
    ::dup2(taken[i], i);
  }
  ::fcntl(kReport, F_SETFD, FD_CLOEXEC);
  if (::syscall(SYS_close_range, kReport + 1, ~0U, 0) != 0) {
    for (int descriptor = kReport + 1; descriptor < ::sysconf(_SC_OPEN_MAX); ++descriptor) {
      ::close(descriptor);
    }
  }
}

void close_streams() {
  for (int descriptor = 0; descriptor < kReport; ++descriptor) {
    ::close(descriptor);
  }
}

sigset_t awaited_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

/// Makes this process a keeper that is told by SIGTERM when `parent` dies. Ends it where that has
/// happened before.
void become_keeper(pid_t parent) {
  ::prctl(PR_SET_NAME, kKeeperName);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) {
    ::_exit(1);
  }
}

void kill_children() {
  const pid_t self = ::getpid();
  ProcessTable table;
  while (const pid_t process = table.next()) {
    if (state_of(process).parent == self) {
      ::kill(process, SIGKILL);
    }
  }
}

/// Reaps children that have ended. Returns whether there are others.
bool has_children() {
  pid_t dead = 0;
  do {
    dead = ::waitpid(-1, nullptr, WNOHANG);
  } while (dead > 0);
  return dead == 0;
}

/// Kills all descendants: those of a child that dies become children of this process.
void end_descendants() {
  const sigset_t signals = awaited_signals();
  const timespec pause = {.tv_sec = 0, .tv_nsec = kPause};
  while (has_children()) {
    kill_children();
    ::sigtimedwait(&signals, nullptr, &pause);
  }
}

enum class Ended { Child, Parent, ByRequest };

/// Waits until `child` ends, whose status is then in `status`, or `parent` does or asks for the end.
Ended await(pid_t child, pid_t parent, int* status) {
  const sigset_t signals = awaited_signals();
  while (true) {
    siginfo_t info = {};
    const int signal = ::sigwaitinfo(&signals, &info);
    for (pid_t dead = 1; dead > 0;) {
      dead = ::waitpid(-1, status, WNOHANG);
      if (dead == child) {
        return Ended::Child;
      }
    }
    if (::getppid() != parent) {
      return Ended::Parent;
    }
    if (signal == SIGTERM && info.si_pid == parent) {
      return Ended::ByRequest;
    }
  }
}

void report(const KeeperReport& said) {
  [[maybe_unused]] const ssize_t n = ::write(kReport, &said, sizeof said);
}

/// Ends a keeper and, unless they are to go on, what it keeps.
[[noreturn]] void end_keeper(Ended ended, Descendants descendants) {
  if (descendants == Descendants::End || ended == Ended::ByRequest) {
    end_descendants();
  }
  ::_exit(0);
}

[[noreturn]] void run_command(const KeptCommand& command, pid_t keeper, const sigset_t& signals) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == keeper) {
    for (const int reset : {SIGPIPE, SIGXFSZ}) {
      ::signal(reset, SIG_DFL);
    }
    ::sigprocmask(SIG_SETMASK, &signals, nullptr);
    ::execve(command.arguments[0], const_cast<char* const*>(command.arguments.data()),
             command.environment.data());
  }
  ::_exit(127);
}

/// The inner keeper, the command's parent. `signals`: the mask with which the command starts.
[[noreturn]] void keep_command(const KeptCommand& command, pid_t parent, const sigset_t& signals) {
  become_keeper(parent);
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    run_command(command, self, signals);
  }
  if (child < 0) {
    report({.failure = errno});
    ::_exit(1);
  }
  close_streams();
  int status = 0;
  const Ended ended = await(child, parent, &status);
  if (ended == Ended::Child) {
    report({.status = status});
  }
  end_keeper(ended, command.descendants);
}

/// The outer keeper, which outlives the death of the inner one.
[[noreturn]] void keep_keeper(const KeptCommand& command, pid_t parent, const sigset_t& signals) {
  ::setsid();
  become_keeper(parent);
  take_descriptors(command);
  const pid_t self = ::getpid();
  const pid_t inner = ::fork();
  if (inner == 0) {
    keep_command(command, self, signals);
  }
  if (inner < 0) {
    report({.failure = errno});
    ::_exit(1);
  }
  close_streams();
  int status = 0;
  const Ended ended = await(inner, parent, &status);
  if (ended == Ended::Parent) {
    ::kill(inner, SIGKILL);
  }
  end_keeper(ended, command.descendants);
}

}  // namespace

pid_t start_keepers(const KeptCommand& command) {
  // A keeper waits for its signals and takes no other; nor does it run a handler of this process.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = ::getpid();
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    ::signal(SIGCHLD, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    keep_keeper(command, parent, before);
  }
  const int failure = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = failure;
  return keeper;
}

}  // namespace retia
