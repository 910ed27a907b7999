#include "retia/engine/io/process_setup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace retia {
namespace {

/// Returns whether `holds` is true in a child of this process.
bool in_child(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(holds() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

bool has_action(int signal, void (*action)(int)) {
  struct sigaction found = {};
  ::sigaction(signal, nullptr, &found);
  return found.sa_handler == action;
}

void own_handler(int) {}

TEST(ProcessSetup, OpensClosedStreamsSoThatFilesGetOtherNumbers) {
  for (const int closed : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    EXPECT_TRUE(in_child([&] {
      ::close(closed);
      { const ProcessSetup setup; }
      return ::open("/dev/zero", O_RDONLY) > STDERR_FILENO;
    })) << closed;
  }
  EXPECT_TRUE(in_child([] {
    ::close(0), ::close(1), ::close(2);
    const ProcessSetup setup;
    return ::write(STDOUT_FILENO, "x", 1) == 1 && ::open("/dev/zero", O_RDONLY) > STDERR_FILENO;
  }));
}

TEST(ProcessSetup, LetsChildrenBeWaitedForWhereTheParentIgnoredThem) {
  EXPECT_TRUE(in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    const ProcessSetup setup;
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(3);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3;
  }));
}

TEST(ProcessSetup, TurnsSignalsOfFailedWritesIntoErrors) {
  EXPECT_TRUE(in_child([] {
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    const ProcessSetup setup;
    int ends[2];
    return ::pipe(ends) == 0 && ::close(ends[0]) == 0 && ::write(ends[1], "x", 1) == -1 &&
           has_action(SIGXFSZ, SIG_IGN);
  }));
}

TEST(ProcessSetup, LeavesAHostAsItWas) {
  EXPECT_TRUE(in_child([] {
    ::signal(SIGCHLD, SIG_IGN);
    ::signal(SIGPIPE, own_handler);
    ::signal(SIGXFSZ, SIG_DFL);
    bool kept = false;
    {
      const ProcessSetup setup;
      kept = has_action(SIGPIPE, own_handler);
    }
    return kept && has_action(SIGCHLD, SIG_IGN) && has_action(SIGPIPE, own_handler) &&
           has_action(SIGXFSZ, SIG_DFL);
  }));
}

}  // namespace
}  // namespace retia
