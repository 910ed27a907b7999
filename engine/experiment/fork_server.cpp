#include "retia/engine/experiment/fork_server.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <limits>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/session.h"

namespace retia {
namespace {

constexpr size_t kLongestMessage = 1 << 17;
constexpr double kSecondsToStop = 5;
constexpr double kMemoryInterval = 0.1;
constexpr double kMemoryShare = 0.05;  // of the time, at most, goes into asking for memory
constexpr double kMegabyte = 1 << 20;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// A child of the server.
struct Child {
  int64_t id;
  pid_t process;
  double started;
  double time_limit, memory_limit;
  double kill_at = kNever;
  double peak_memory = 0;
  std::optional<EndCause> killed_for = {};
};

class ForkServer {
 public:
  ForkServer(int socket, const std::function<int(const std::filesystem::path&)>& run)
      : socket_(socket), run_(run), process_(::getpid()) {
    sigset_t child_signal;
    ::sigemptyset(&child_signal);
    ::sigaddset(&child_signal, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child_signal, &signals_before_);
    deaths_ = ::signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
    TORCH_CHECK(deaths_ >= 0, "no descriptor for signals can be made: ", std::strerror(errno));
  }
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;
  ~ForkServer() {
    for (const Child& child : children_) {
      kill_session(child.process);
    }
    ::close(deaths_);
  }

  void serve() {
    bool asked = send_message(socket_, Message::Ready, nullptr);
    while (asked) {
      std::array<pollfd, 2> waiting = {{{socket_, POLLIN, 0}, {deaths_, POLLIN, 0}}};
      ::poll(waiting.data(), waiting.size(), milliseconds_to_wait());
      if (waiting[1].revents != 0) {
        reap();
      }
      if (waiting[0].revents != 0) {
        asked = obey();
      }
      enforce_limits();
    }
  }

 private:
  int milliseconds_to_wait() const {
    double next = kNever;
    for (const Child& child : children_) {
      next = std::min(next, child.kill_at);
      next = child.memory_limit > 0 ? std::min(next, next_memory_check_) : next;
    }
    return next == kNever ? -1
                          : static_cast<int>(std::ceil(1e3 * std::clamp(next - now(), 0.0, 1e3)));
  }

  /// Obeys the next message; returns false where the socket is closed.
  bool obey() {
    const auto message = receive_message(socket_);
    if (!message) {
      return false;
    }
    if (message->first == Message::Start) {
      start(message->second);
    } else if (message->first == Message::Ping) {
      send_message(socket_, Message::Pong, nullptr);
    } else if (message->first == Message::Stop) {
      for (Child& child : children_) {
        if (child.id == message->second) {
          ::kill(child.process, SIGTERM);
          child.kill_at = std::min(child.kill_at, now() + kSecondsToStop);
        }
      }
    }
    return true;
  }

  void start(const ProcessRequest& request) {
    const pid_t process = ::fork();
    if (process == 0) {
      become(request);
    }
    if (process < 0) {
      send_message(socket_, Message::Ended,
                   ProcessEnd{.id = request.id, .cause = EndCause::NotStarted, .code = errno});
      return;
    }
    children_.push_back({request.id, process, now(), request.time_limit, request.memory_limit});
    if (request.time_limit > 0) {
      children_.back().kill_at = now() + request.time_limit;
    }
    send_message(socket_, Message::Started, {request.id, process});
  }

  /// Runs a trial in the child, and exits.
  [[noreturn]] void become(const ProcessRequest& request) const {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != process_) {
      ::_exit(1);  // the server had died before
    }
    ::close(deaths_);
    ::close(socket_);
    const int nothing = ::open("/dev/null", O_RDONLY);
    const int log = ::open(request.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (nothing > STDIN_FILENO) {
      ::dup2(nothing, STDIN_FILENO);
      ::close(nothing);
    }
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    if (log > STDERR_FILENO) {
      ::close(log);
    }
    for (const std::string& variable : request.environment) {
      const size_t name = variable.find('=');
      ::setenv(variable.substr(0, name).c_str(), variable.substr(name + 1).c_str(), 1);
    }
    ::sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
    const int code = run_(request.file);
    std::cout.flush();
    std::fflush(nullptr);
    ::_exit(code);  // what the server would do at its own end is not the child's to do
  }

  void reap() {
    signalfd_siginfo ignored;
    while (::read(deaths_, &ignored, sizeof ignored) > 0) {
    }
    siginfo_t dead = {};
    while (::waitid(P_ALL, 0, &dead, WEXITED | WNOHANG | WNOWAIT) == 0 && dead.si_pid != 0) {
      if (dead.si_code != CLD_EXITED || dead.si_status != 0) {
        kill_session(dead.si_pid);  // what it has started, as long as its number is its own
      }
      rusage usage = {};
      ::wait4(dead.si_pid, nullptr, 0, &usage);
      report(dead, static_cast<double>(usage.ru_maxrss) / 1024);
      dead = {};
    }
  }

  void report(const siginfo_t& dead, double peak_memory) {
    const auto child = std::find_if(children_.begin(), children_.end(),
                                    [&](const Child& one) { return one.process == dead.si_pid; });
    if (child == children_.end()) {
      return;
    }
    const EndCause by_itself = dead.si_code == CLD_EXITED ? EndCause::Exited : EndCause::Signalled;
    send_message(socket_, Message::Ended,
                 ProcessEnd{.id = child->id,
                            .cause = child->killed_for.value_or(by_itself),
                            .code = dead.si_status,
                            .seconds = now() - child->started,
                            .peak_memory = std::max(peak_memory, child->peak_memory)});
    children_.erase(child);
  }

  void enforce_limits() {
    for (Child& child : children_) {
      if (now() >= child.kill_at) {
        const bool late = child.time_limit > 0 && now() >= child.started + child.time_limit;
        end(child, late ? EndCause::TimedOut : EndCause::Signalled);
      }
    }
    if (now() < next_memory_check_) {
      return;
    }
    const double began = now();
    for (Child& child : children_) {
      if (child.memory_limit > 0) {
        const double memory = static_cast<double>(memory_of_session(child.process)) / kMegabyte;
        child.peak_memory = std::max(child.peak_memory, memory);
        if (memory > child.memory_limit) {
          end(child, EndCause::OutOfMemory);
        }
      }
    }
    next_memory_check_ = now() + std::max(kMemoryInterval, (now() - began) / kMemoryShare);
  }

  static void end(Child& child, EndCause cause) {
    child.killed_for = child.killed_for.value_or(cause);
    child.kill_at = kNever;
    kill_session(child.process);
  }

  int socket_;
  const std::function<int(const std::filesystem::path&)>& run_;
  pid_t process_;
  sigset_t signals_before_ = {};
  int deaths_ = -1;  // SIGCHLD, to be polled for
  std::vector<Child> children_;
  double next_memory_check_ = 0;
};

}  // namespace

bool send_message(int socket, Message message, const Json& content) {
  const std::string text = Json{{"message", message}, {"content", content}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
  TORCH_CHECK(text.size() <= kLongestMessage, "a message of ", text.size(),
              " bytes is too long for the process that starts trials, expected ", kLongestMessage,
              " at most");
  ssize_t sent = -1;
  do {
    sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

std::optional<std::pair<Message, Json>> receive_message(int socket) {
  std::string text(kLongestMessage, '\0');
  ssize_t n = -1;
  do {
    n = ::recv(socket, text.data(), text.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) {
    return std::nullopt;
  }
  const Json json = Json::parse(text.begin(), text.begin() + n);
  return std::pair(json.at("message").get<Message>(), json.at("content"));
}

void serve_trials(int socket, const std::function<int(const std::filesystem::path&)>& run) {
  ForkServer(socket, run).serve();
}

}  // namespace retia
