#include "retia/engine/io/session.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "retia/engine/io/proc.h"

namespace retia {
namespace {

constexpr int64_t kBytes = 64 << 20;

/// A session whose leader has a child in a group of its own, which holds kBytes.
class Session {
 public:
  Session() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    leader_ = ::fork();
    if (leader_ == 0) {
      ::setsid();
      if (::fork() == 0) {
        ::setpgid(0, 0);
        const std::vector<char> held(kBytes, 1);
        EXPECT_EQ(::write(ends[1], held.data(), 1), 1);
        ::pause();
      }
      ::pause();
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    end_ = ends[0];
  }
  ~Session() {
    ::waitpid(leader_, nullptr, 0);
    ::close(end_);
  }
  pid_t leader() const { return leader_; }
  /// Waits until nobody is left who could write.
  bool is_over() const {
    char byte = 0;
    return ::read(end_, &byte, 1) == 0;
  }

 private:
  pid_t leader_ = -1;
  int end_ = -1;
};

TEST(Session, HoldsTheMemoryOfAllItsProcesses) {
  const Session session;
  EXPECT_GT(memory_of_session(session.leader()), kBytes);
  kill_session(session.leader());
  EXPECT_TRUE(session.is_over());
}

TEST(Session, HoldsTheMemoryOfDescendantsThatLeftIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t leader = ::fork();
  if (leader == 0) {
    ::setsid();
    if (::fork() == 0) {
      ::setsid();
      const std::vector<char> held(kBytes, 1);
      EXPECT_EQ(::write(ends[1], held.data(), 1), 1);
      ::pause();
    }
    ::pause();
  }
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_GT(memory_of_session(leader), kBytes);
  ProcessTable table;
  while (const pid_t process = table.next()) {
    if (state_of(process).parent == leader) {
      ::kill(process, SIGKILL);
    }
  }
  ::kill(leader, SIGKILL);
  ::waitpid(leader, nullptr, 0);
  ::close(ends[1]);
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);  // nobody is left who could write
  ::close(ends[0]);
}

TEST(Session, ThatIsOverHoldsNothing) {
  pid_t leader = -1;
  {
    const Session session;
    leader = session.leader();
    kill_session(leader);
    EXPECT_TRUE(session.is_over());
  }
  EXPECT_EQ(memory_of_session(leader), 0);
  kill_session(leader);
}

}  // namespace
}  // namespace retia
