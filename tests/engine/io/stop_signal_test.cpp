#include "retia/engine/io/stop_signal.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

/// The status, as of waitpid, of a child that runs `action` and then exits with 7.
int status_of(const std::function<void()>& action) {
  const pid_t child = fork();
  if (child == 0) {
    action();
    _exit(7);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(StopSignal, IsRaisedByInterruptTerminateHangUpAndUserSignal) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    const StopSignal stop;
    EXPECT_FALSE(stop.requested());
    raise(number);
    EXPECT_TRUE(stop.requested());
    EXPECT_EQ(stop.signal(), number);
  }
}

TEST(StopSignal, RemembersTheFirst) {
  const StopSignal stop;
  raise(SIGTERM);
  raise(SIGTERM);
  raise(SIGINT);
  EXPECT_EQ(stop.signal(), SIGTERM);
}

TEST(StopSignal, LetsASecondInterruptKill) {
  const int status = status_of([] {
    const StopSignal stop;
    raise(SIGINT);
    raise(SIGINT);
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(StopSignal, PutsBackWhatWasThere) {
  for (const int number : {SIGTERM, SIGHUP, SIGUSR1}) {
    const int status = status_of([&] {
      { const StopSignal stop; }
      raise(number);
    });
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), number);
  }
}

TEST(StopSignal, LeavesIgnoredInterruptsAndHangUpsIgnored) {
  for (const int number : {SIGINT, SIGHUP}) {
    const int status = status_of([&] {
      ::signal(number, SIG_IGN);
      const StopSignal stop;
      raise(number);
      raise(number);
      _exit(stop.requested() ? 1 : 0);
    });
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << number;
  }
}

TEST(StopSignal, IsOneAtATime) {
  const StopSignal stop;
  EXPECT_EQ(error_of([] { StopSignal second; }),
            "StopSignal: expected one at a time, but another one lives");
  raise(SIGTERM);
  EXPECT_TRUE(stop.requested());
}

}  // namespace
}  // namespace retia
