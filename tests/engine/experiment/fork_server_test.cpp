#include "retia/engine/experiment/fork_server.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

/// Runs a "trial": the name of its file says what it does.
int run_named(const std::filesystem::path& file) {
  if (file == "hangs") {
    ::pause();
  }
  std::cout << "ran " << file.string() << std::endl;
  return file == "fails" ? 3 : 0;
}

/// A server in a process of its own, and this end of its socket.
class Server {
 public:
  Server() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    process_ = ::fork();
    if (process_ == 0) {
      ::close(ends[0]);
      serve_trials(ends[1], run_named);
      ::_exit(0);
    }
    ::close(ends[1]);
    socket = ends[0];
    EXPECT_EQ(receive_message(socket)->first, Message::Ready);
  }
  ~Server() {
    ::close(socket);
    int status = -1;
    ::waitpid(process_, &status, 0);
    EXPECT_EQ(status, 0);
  }

  pid_t start(const ProcessRequest& request) const {
    EXPECT_TRUE(send_message(socket, Message::Start, request));
    const auto started = receive_message(socket);
    EXPECT_EQ(started->first, Message::Started);
    EXPECT_EQ(started->second.at(0), request.id);
    return started->second.at(1);
  }
  ProcessEnd end() const {
    const auto ended = receive_message(socket);
    EXPECT_EQ(ended->first, Message::Ended);
    return ended->second;
  }

  int socket = -1;

 private:
  pid_t process_ = -1;
};

TEST(ForkServer, RunsEachTrialInAProcessWithALog) {
  const TemporaryFolder folder;
  const Server server;
  const pid_t process = server.start({.id = 7, .file = "fails", .log = folder / "log.txt"});
  EXPECT_NE(process, ::getpid());
  const ProcessEnd end = server.end();
  EXPECT_EQ(end.id, 7);
  EXPECT_EQ(end.cause, EndCause::Exited);
  EXPECT_EQ(end.code, 3);
  std::string line;
  std::ifstream log(folder / "log.txt");
  std::getline(log, line);
  EXPECT_EQ(line, "ran fails");
}

TEST(ForkServer, KillsATrialAtItsTimeLimit) {
  const TemporaryFolder folder;
  const Server server;
  server.start({.id = 1, .file = "hangs", .log = folder / "log.txt", .time_limit = 0.05});
  EXPECT_EQ(server.end().cause, EndCause::TimedOut);
}

TEST(ForkServer, StopsATrialWhenAsked) {
  const TemporaryFolder folder;
  const Server server;
  server.start({.id = 1, .file = "hangs", .log = folder / "log.txt"});
  EXPECT_TRUE(send_message(server.socket, Message::Stop, 1));
  const ProcessEnd end = server.end();
  EXPECT_EQ(end.cause, EndCause::Signalled);
  EXPECT_EQ(end.code, SIGTERM);
}

TEST(ForkServer, KillsRunningTrialsWhenItsSocketIsClosed) {
  const TemporaryFolder folder;
  pid_t process = -1;
  {
    const Server server;
    process = server.start({.id = 1, .file = "hangs", .log = folder / "log.txt"});
  }
  for (int i = 0; i < 10000 && ::kill(process, 0) == 0; ++i) {
    ::usleep(1000);
  }
  EXPECT_NE(::kill(process, 0), 0);
}

TEST(ForkServer, HasMessagesThatEndWithTheSocket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  EXPECT_TRUE(send_message(ends[0], Message::Stop, 4));
  EXPECT_EQ(receive_message(ends[1]), std::pair(Message::Stop, Json(4)));
  ::close(ends[0]);
  EXPECT_FALSE(receive_message(ends[1]));
  EXPECT_FALSE(send_message(ends[1], Message::Stop, 4));
  ::close(ends[1]);
}

}  // namespace
}  // namespace retia
