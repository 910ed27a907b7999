#include "retia/engine/experiment/trial_processes.h"

#include <c10/util/Exception.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/patience.h"
#include "retia/engine/io/session.h"

namespace retia {
namespace {

constexpr int64_t kFailedStarts = 100;
constexpr double kSecondsToEnd = 10;  // for a server that ends by itself, and its trials with it
constexpr double kFirstToEnd = 15;    // in which the first of the trials that are to stop has ended
constexpr double kLoading = 10;       // times the patience, for a server that loads its program

std::string described(int status) {
  return WIFSIGNALED(status)
             ? c10::str("signal ", WTERMSIG(status), " (", ::strsignal(WTERMSIG(status)), ")")
             : c10::str("code ", WEXITSTATUS(status));
}

}  // namespace

TrialProcesses::TrialProcesses(std::filesystem::path program,
                               std::function<void(const std::string&)> warn, double patience)
    : program_(std::move(program)), warn_(std::move(warn)), patience_(patience) {
  open();
}

TrialProcesses::~TrialProcesses() {
  close(running_.empty() ? 0 : kSecondsToEnd);  // without trials it may still be loading
}

void TrialProcesses::open() {
  std::array<int, 2> ends{};
  TORCH_CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0,
              "no socket can be made: ", std::strerror(errno));
  socket_ = ends[0];
  ready_ = false;
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A session of its own: Ctrl-C is for the manager, which then stops trials in its own way.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::array<std::string, 3> words = {"retia", "trial", "--server"};
  const std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(),
                                          nullptr};
  const auto spawn = [&] {
    return ::posix_spawn(&server_, program_.c_str(), &files, &attributes, arguments.data(),
                         environ);
  };
  const int failure = patiently(spawn, kProcessPatience);
  heard_ = now();
  message_due_ = heard_ + kLoading * patience_;
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  TORCH_CHECK(failure == 0, program_.string(), " cannot be started: ", std::strerror(failure));
}

int TrialProcesses::close(double seconds) {
  ::close(socket_);
  int status = 0;
  for (const double end = now() + seconds; now() < end;) {
    if (::waitpid(server_, &status, WNOHANG) == server_) {
      return status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(server_, SIGKILL);
  while (::waitpid(server_, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void TrialProcesses::start(const ProcessRequest& request) {
  TORCH_INTERNAL_ASSERT(!running_.contains(request.id));
  running_[request.id] = 0;
  send_message(socket_, Message::Start, request);  // where the server is dead wait() will notice
}

void TrialProcesses::stop(int64_t id) {
  send_message(socket_, Message::Stop, id);
  expect_message(kFirstToEnd);
}

void TrialProcesses::expect_message(double seconds) {
  message_due_ = std::min(message_due_.value_or(now() + seconds), now() + seconds);
}

/// Asks a server that has said nothing for a while, and kills one that does not answer: whoever
/// waits finds its socket closed then.
void TrialProcesses::look_after_server() {
  if (message_due_ && now() > *message_due_) {
    if (warn_) {
      warn_(c10::str("process ", server_, ", which starts trials, does not answer for ",
                     now() - heard_, " s: it is replaced, and its trials are started again"));
    }
    ::kill(server_, SIGKILL);
    message_due_.reset();
  } else if (!message_due_ && !running_.empty() && now() > heard_ + patience_ / 4) {
    send_message(socket_, Message::Ping, nullptr);
    expect_message(patience_);
  }
}

/// interrupted: set where a signal came first.
bool TrialProcesses::has_message(double seconds, bool& interrupted) const {
  pollfd waiting = {socket_, POLLIN, 0};
  const int n = ::poll(&waiting, 1, static_cast<int>(std::ceil(1e3 * std::min(seconds, 1e6))));
  interrupted = n < 0 && errno == EINTR;
  return n > 0;
}

std::vector<ProcessEnd> TrialProcesses::wait(double seconds) {
  std::vector<ProcessEnd> ended;
  const double end = now() + seconds;
  look_after_server();
  bool interrupted = false;
  while (has_message(ended.empty() ? std::max(0.0, end - now()) : 0, interrupted)) {
    const auto message = receive_message(socket_);
    heard_ = now();
    message_due_.reset();
    if (!message) {
      const std::vector<ProcessEnd> lost = replace_server();
      ended.insert(ended.end(), lost.begin(), lost.end());
    } else if (message->first == Message::Ready) {
      ready_ = true;
    } else if (message->first == Message::Started) {
      running_.at(message->second.at(0).get<int64_t>()) = message->second.at(1).get<pid_t>();
    } else if (message->first == Message::Ended) {
      ended.push_back(message->second.get<ProcessEnd>());
      running_.erase(ended.back().id);
    }
  }
  return ended;
}

std::vector<ProcessEnd> TrialProcesses::replace_server() {
  const int status = close(kSecondsToEnd);  // its socket closes a little before it has ended
  std::vector<ProcessEnd> lost;
  for (const auto& [id, process] : running_) {
    if (process > 0) {
      kill_session(process);  // it died with the server, but not what it has started
    }
    lost.push_back({.id = id, .cause = EndCause::Lost});
  }
  running_.clear();
  // Whoever was killed while it loaded deserves another try; who gave up by itself does not.
  n_failed_starts_ = ready_ ? 0 : n_failed_starts_ + 1;
  TORCH_CHECK(ready_ || (WIFSIGNALED(status) && n_failed_starts_ < kFailedStarts),
              program_.string(), " trial --server, which starts trials, ended with ",
              described(status), " before it had begun");
  open();
  return lost;
}

}  // namespace retia
