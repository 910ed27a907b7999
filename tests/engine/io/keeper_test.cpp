#include "retia/engine/io/keeper.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/proc.h"
#include "retia/engine/io/process.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

bool comes_true(const std::function<bool()>& happened) {
  for (const double end = now() + 30; !happened() && now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return happened();
}

bool lives(pid_t process) {
  const char state = state_of(process).state;
  return state != 0 && state != 'Z';
}

/// Returns the keeper among the children of `parent`; 0: there is none.
pid_t keeper_under(pid_t parent) {
  ProcessTable table;
  while (const pid_t process = table.next()) {
    const ProcessState state = state_of(process);
    if (state.parent == parent && state.is_keeper) {
      return process;
    }
  }
  return 0;
}

/// A command whose child calls setsid and goes on for long.
class Keepers : public testing::Test {
 protected:
  /// `then`: what the command does when its child runs.
  std::string command(const std::string& then) const {
    const std::string file = folder_ / "pid";
    return "setsid sh -c 'echo $$ > " + file + ".new; mv " + file + ".new " + file +
           "; exec sleep 1000' & while ! test -e " + file + "; do sleep 0.01; done; " + then;
  }
  pid_t child() const {
    pid_t number = 0;
    std::ifstream(folder_ / "pid") >> number;
    return number;
  }
  /// Expects the command's child to be ended where the process that `victim` names, given the
  /// process that runs the command, is killed.
  void expect_end(const std::function<pid_t(pid_t)>& victim) const {
    const pid_t runs_it = ::fork();
    if (runs_it == 0) {
      run_process(command("sleep 1000"));
      ::_exit(0);
    }
    EXPECT_TRUE(comes_true([&] { return child() > 0; }));
    EXPECT_TRUE(lives(child()));
    const pid_t killed = victim(runs_it);
    EXPECT_GT(killed, 0);
    ::kill(killed, SIGKILL);
    EXPECT_TRUE(comes_true([&] { return !lives(child()); }));
    EXPECT_EQ(::waitpid(runs_it, nullptr, 0), runs_it);
    EXPECT_EQ(keeper_under(runs_it), 0);
  }

  const TemporaryFolder folder_;
};

TEST_F(Keepers, EndAllThatACommandHasStartedWhenItEnds) {
  const double began = now();
  EXPECT_EQ(run_process(command("echo 1")).out, "1\n");  // the child holds the pipe
  EXPECT_LT(now() - began, 20);
  EXPECT_GT(child(), 0);
  EXPECT_FALSE(lives(child()));
}

TEST_F(Keepers, EndItAtTheTimeLimitAndOnRequest) {
  EXPECT_EQ(run_process(command("sleep 1000"), {.time_limit = 0.5}).ending,
            ProcessEnding::TimedOut);
  EXPECT_TRUE(comes_true([&] { return !lives(child()); }));
  std::filesystem::remove(folder_ / "pid");
  const ProcessOptions options{.stop_requested = [&] { return child() > 0; }};
  EXPECT_EQ(run_process(command("sleep 1000"), options).ending, ProcessEnding::Stopped);
  EXPECT_FALSE(lives(child()));
}

TEST_F(Keepers, EndItWhenTheProcessThatRunsItIsKilled) {
  expect_end([](pid_t runs_it) { return runs_it; });
}

TEST_F(Keepers, EndItWhenTheOuterOrTheInnerKeeperIsKilled) {
  expect_end([](pid_t runs_it) { return keeper_under(runs_it); });
  std::filesystem::remove(folder_ / "pid");
  expect_end([](pid_t runs_it) { return keeper_under(keeper_under(runs_it)); });
}

TEST_F(Keepers, SayThatACommandIsKilledWhereTheyAre) {
  auto result = std::async(std::launch::async, [&] { return run_process(command("sleep 1000")); });
  ASSERT_TRUE(comes_true([&] { return child() > 0; }));
  ::kill(keeper_under(keeper_under(::getpid())), SIGKILL);
  EXPECT_EQ(result.get().ending, ProcessEnding::Killed);
}

TEST_F(Keepers, AreEndedAtTheTimeLimitThoughTheyAreStopped) {
  auto result = std::async(std::launch::async,
                           [&] { return run_process(command("sleep 1000"), {.time_limit = 1}); });
  ASSERT_TRUE(comes_true([&] { return child() > 0; }));
  ::kill(keeper_under(::getpid()), SIGSTOP);
  EXPECT_EQ(result.get().ending, ProcessEnding::TimedOut);
  EXPECT_TRUE(comes_true([&] { return !lives(child()); }));
}

TEST_F(Keepers, LeaveWhatACommandHasStartedWhereTheyAreToldSo) {
  run_process(command("true"), {.descendants = Descendants::Leave});
  EXPECT_TRUE(lives(child()));
  ::kill(child(), SIGKILL);
}

TEST_F(Keepers, HoldNoDescriptorOfTheProcessThatRunsTheCommand) {
  const std::string command =
      "for keeper in $PPID $(ps -o ppid= -p $PPID); do "
      "ls /proc/$keeper/fd | wc -w; done";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(run_process(command).out, "1\n1\n");  // the report
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace retia
