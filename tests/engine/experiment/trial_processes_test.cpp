#include "retia/engine/experiment/trial_processes.h"

#include <gmock/gmock.h>

#include "retia/engine/base/clock.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// What a server does that obeys: it starts no process, and the file of a trial says what happens.
/// "ends": the trial ends with code 3. "dies": the server dies. "waits": it ends when it is stopped.
/// "hangs": the server does nothing any more.
constexpr const char* kObeys = R"(
def obey(kind, content):
    if kind == "start":
        say("started", [content["id"], 1 << 22])
        if content["file"] == "ends":
            end(content["id"], "exited", 3)
        if content["file"] == "dies":
            os._exit(1)
        if content["file"] == "hangs":
            os.kill(os.getpid(), signal.SIGSTOP)
    if kind == "ping":
        say("pong", None)
    if kind == "stop":
        end(content, "signalled", 15)

say("ready", None)
while True:
    text = peer.recv(1 << 20)
    if not text:
        break
    message = json.loads(text)
    obey(message["message"], message["content"])
)";

class TrialProcessesTest : public testing::Test {
 protected:
  /// A program that does what `python` says, whatever its arguments are.
  std::filesystem::path program(const std::string& python) const {
    write_plainly(folder_ / "program", R"(#!/usr/bin/env python3
import json, os, signal, socket, sys
assert sys.argv[1:] == ["trial", "--server"]
peer = socket.socket(fileno=0)
def say(kind, content):
    peer.send(json.dumps({"message": kind, "content": content}).encode())
def end(id, cause, code):
    say("ended", {"id": id, "cause": cause, "code": code, "seconds": 0.5, "peak_memory": 2})
)" + python);
    std::filesystem::permissions(folder_ / "program", std::filesystem::perms::owner_all);
    return folder_ / "program";
  }

  /// Waits until a process ends, half a minute at most.
  static std::vector<ProcessEnd> end_of_any(TrialProcesses& processes) {
    std::vector<ProcessEnd> ended;
    for (const double end = now() + 30; ended.empty() && now() < end;) {
      ended = processes.wait(1);
    }
    return ended;
  }

  const TemporaryFolder folder_;
};

TEST_F(TrialProcessesTest, TellHowEachProcessEnded) {
  TrialProcesses processes(program(kObeys));
  processes.start({.id = 7, .file = "waits"});
  processes.start({.id = 8, .file = "ends"});
  std::vector<ProcessEnd> ended = end_of_any(processes);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].id, 8);
  EXPECT_EQ(ended[0].cause, EndCause::Exited);
  EXPECT_EQ(ended[0].code, 3);
  EXPECT_EQ(ended[0].seconds, 0.5);
  EXPECT_EQ(ended[0].peak_memory, 2);
  EXPECT_THAT(processes.wait(0), IsEmpty()) << "the other one waits";
  processes.stop(7);
  ended = end_of_any(processes);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].id, 7);
  EXPECT_EQ(ended[0].cause, EndCause::Signalled);
}

TEST_F(TrialProcessesTest, LoseTheProcessesOfAServerThatDiesAndStartAnother) {
  TrialProcesses processes(program(kObeys));
  processes.start({.id = 1, .file = "waits"});
  processes.start({.id = 2, .file = "dies"});
  std::vector<ProcessEnd> ended = end_of_any(processes);
  ASSERT_EQ(ended.size(), 2u);
  for (const ProcessEnd& end : ended) {
    EXPECT_EQ(end.cause, EndCause::Lost);
  }
  processes.start({.id = 1, .file = "ends"});
  ended = end_of_any(processes);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].cause, EndCause::Exited);
}

TEST_F(TrialProcessesTest, ReplaceAServerThatDoesNotAnswer) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& warning) { warnings.push_back(warning); };
  TrialProcesses processes(program(kObeys), warn, 0.3);
  processes.start({.id = 1, .file = "hangs"});
  std::vector<ProcessEnd> ended;
  for (const double end = now() + 30; ended.empty() && now() < end;) {
    ended = processes.wait(0.02);
  }
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].cause, EndCause::Lost);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr(", which starts trials, does not answer for "));
  processes.start({.id = 1, .file = "ends"});
  ended = end_of_any(processes);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].cause, EndCause::Exited);
}

TEST_F(TrialProcessesTest, KeepAServerThatAnswers) {
  std::vector<std::string> warnings;
  const auto warn = [&](const std::string& warning) { warnings.push_back(warning); };
  TrialProcesses processes(program(kObeys), warn, 1);
  processes.start({.id = 1, .file = "waits"});
  for (const double end = now() + 2; now() < end;) {
    EXPECT_THAT(processes.wait(0.1), IsEmpty());
  }
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(TrialProcessesTest, SayThatAServerGivesUp) {
  TrialProcesses processes(program("import time; peer.close(); time.sleep(0.2); sys.exit(5)\n"));
  const std::string error = error_of([&] { end_of_any(processes); });
  EXPECT_THAT(error, HasSubstr("trial --server, which starts trials, ended with code 5 before"));
}

TEST_F(TrialProcessesTest, SayThatThereIsNoProgram) {
  EXPECT_THAT(error_of([&] { TrialProcesses(folder_ / "none"); }),
              HasSubstr("none cannot be started: No such file"));
}

}  // namespace
}  // namespace retia
