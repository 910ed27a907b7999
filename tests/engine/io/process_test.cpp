#include "retia/engine/io/process.h"

#include <gmock/gmock.h>

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

TEST(Process, TellsWhatSignalEndedIt) {
  const ProcessResult result = run_process("kill -11 $$");
  EXPECT_EQ(result.ending, ProcessEnding::Killed);
  EXPECT_EQ(result.code, 11);
}

}  // namespace
}  // namespace retia
