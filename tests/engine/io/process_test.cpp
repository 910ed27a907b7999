#include "retia/engine/io/process.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace retia {
namespace {

TEST(Process, GivesInputAndTakesBothOutputs) {
  const ProcessResult result = run_process("cat; echo said >&2; exit 3", {.input = "given\n"});
  EXPECT_EQ(result.ending, ProcessEnding::Exited);
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.out, "given\n");
  EXPECT_EQ(result.err, "said\n");
}

TEST(Process, CarriesMoreThanAPipeHoldsBothWays) {
  std::string much(3'000'000, 'x');
  much.back() = '\n';
  EXPECT_EQ(run_process("cat", {.input = much}).out, much);
}

TEST(Process, SurvivesACommandThatReadsNothing) {
  EXPECT_EQ(run_process("exit 0", {.input = std::string(1'000'000, 'x')}).code, 0);
}

TEST(Process, SetsTheEnvironmentBesideItsOwn) {
  const ProcessResult result = run_process("echo $GIVEN $PATH", {.environment = {"GIVEN=7"}});
  EXPECT_THAT(result.out, testing::MatchesRegex("7 .*/.*\n"));
}

TEST(Process, SetsVariablesThatItsOwnEnvironmentHasToo) {
  ::setenv("GIVEN", "inherited", 1);
  const ProcessResult result = run_process("echo $GIVEN; env", {.environment = {"GIVEN=7"}});
  ::unsetenv("GIVEN");
  EXPECT_THAT(result.out, testing::StartsWith("7\n"));
  EXPECT_THAT(result.out, testing::Not(testing::HasSubstr("inherited")));
}

TEST(Process, IsKilledWithItsChildrenAtTheTimeLimitAndOnRequest) {
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(run_process("sleep 60 & sleep 60", {.time_limit = 0.2}).ending,
            ProcessEnding::TimedOut);
  EXPECT_EQ(run_process("sleep 60; true", {.stop_requested = [] { return true; }}).ending,
            ProcessEnding::Stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(Process, IsStoppedWhereASignalMetItALittleBeforeTheRequest) {
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
  const ProcessOptions options{
      .stop_requested = [&] { return std::chrono::steady_clock::now() > soon; }};
  EXPECT_EQ(run_process("kill $$", options).ending, ProcessEnding::Stopped);
  EXPECT_EQ(run_process("kill $$", {.stop_requested = [] { return false; }}).ending,
            ProcessEnding::Killed);
}

TEST(Process, TellsLinesAsTheyComeAndStopsOnThem) {
  std::vector<std::string> lines;
  EXPECT_EQ(run_process("printf 'one\\n\\ntwo\\nthr'; printf 'ee'",
                        {.on_line = [&](const std::string& line) { lines.push_back(line); }})
                .out,
            "one\n\ntwo\nthree");
  EXPECT_THAT(lines, testing::ElementsAre("one", "", "two"));
  lines.clear();
  EXPECT_EQ(run_process("echo ready; sleep 60",
                        {.stop_requested = [&] { return !lines.empty(); },
                         .on_line = [&](const std::string& line) { lines.push_back(line); }})
                .ending,
            ProcessEnding::Stopped);
}

TEST(Process, IsOverWhenTheCommandEndsThoughAChildHoldsItsOutputs) {
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(run_process("sleep 60 & echo 1").out, "1\n");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(Process, IsReachedByItsTimeLimitThoughItClosesItsOutputs) {
  const ProcessResult result = run_process("exec >&- 2>&-; sleep 60", {.time_limit = 0.2});
  EXPECT_EQ(result.ending, ProcessEnding::TimedOut);
}

TEST(Process, KeepsTheEndOfALineWithoutEnd) {
  std::vector<std::string> lines;
  const ProcessResult result = run_process(
      "head -c 200000000 /dev/zero | tr '\\0' x; echo y; echo z",
      {.on_line = [&](const std::string& line) { lines.push_back(line); }, .kept = 1000});
  EXPECT_EQ(result.out, std::string(996, 'x') + "y\nz\n");
  EXPECT_THAT(lines, testing::ElementsAre("z"));
  EXPECT_EQ(run_process("yes | tr -d '\\n'", {.time_limit = 0.2, .kept = 1000}).ending,
            ProcessEnding::TimedOut);
}

/// Returns whether `holds` is true in a child, of a user who has no other process.
bool as_a_user_alone(const std::function<bool()>& holds) {
  constexpr uid_t kNobodyElse = 54321;
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit((::getuid() != 0 || ::setuid(kNobodyElse) == 0) && holds() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST(Process, WaitsForProcessesToBeAllowed) {
  EXPECT_TRUE(as_a_user_alone([] {
    rlimit limit = {};
    ::getrlimit(RLIMIT_NPROC, &limit);
    const rlimit none = {0, limit.rlim_max};
    ::setrlimit(RLIMIT_NPROC, &none);
    int n_asked = 0;
    const auto allow_later = [&] {
      if (++n_asked == 4) {
        ::setrlimit(RLIMIT_NPROC, &limit);
      }
      return false;
    };
    return run_process("echo 1", {.stop_requested = allow_later}).out == "1\n" && n_asked > 4;
  }));
}

TEST(Process, IsStoppedWhileNoneIsAllowed) {
  EXPECT_TRUE(as_a_user_alone([] {
    const rlimit none = {0, 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    const ProcessOptions options{.stop_requested = [] { return true; }};
    return run_process("echo 1", options).ending == ProcessEnding::Stopped;
  }));
}

TEST(Process, TellsWhatSignalEndedIt) {
  const ProcessResult result = run_process("kill -11 $$");
  EXPECT_EQ(result.ending, ProcessEnding::Killed);
  EXPECT_EQ(result.code, 11);
}

}  // namespace
}  // namespace retia
