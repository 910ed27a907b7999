#include "retia/engine/io/proc.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

namespace retia {
namespace {

TEST(Proc, TellsAProcessAndItsParent) {
  const ProcessState self = state_of(::getpid());
  EXPECT_EQ(self.state, 'R');
  EXPECT_EQ(self.parent, ::getppid());
  EXPECT_EQ(self.session, ::getsid(0));
  EXPECT_GT(self.resident_pages, 100);
  EXPECT_FALSE(self.is_keeper);
}

TEST(Proc, ReadsNamesThatLookLikeFields) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  for (const char* name : {") S 1 1 (", "retia-keeper", "retia-keepers"}) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_NAME, name);
      EXPECT_EQ(::write(ends[1], "x", 1), 1);
      ::pause();
    }
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    const ProcessState state = state_of(child);
    EXPECT_EQ(state.parent, ::getpid()) << name;
    EXPECT_EQ(state.session, ::getsid(0)) << name;
    EXPECT_EQ(state.is_keeper, std::string(name) == kKeeperName) << name;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(state_of(child).state, 0);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Proc, ListsTheProcessesThatThereAre) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
  }
  std::set<pid_t> listed;
  ProcessTable table;
  while (const pid_t process = table.next()) {
    EXPECT_TRUE(listed.insert(process).second);
  }
  EXPECT_TRUE(listed.contains(::getpid()));
  EXPECT_TRUE(listed.contains(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace retia
