#include "retia/engine/io/process.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "retia/engine/base/clock.h"

namespace retia {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr double kGrace = 1;  // seconds
constexpr size_t kChunk = 1 << 16;

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) {
      ::close(std::exchange(number_, -1));
    }
  }
  int number() const { return number_; }

 private:
  int number_;
};

struct Pipe {
  Pipe() {
    int ends[2];
    TORCH_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "no pipe can be made: ", std::strerror(errno));
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
  Descriptor read, write;
};

/// Reads what is there; closes at the end.
void drain(Descriptor& from, std::string& into) {
  std::array<char, kChunk> buffer;
  const ssize_t n = ::read(from.number(), buffer.data(), buffer.size());
  if (n > 0) {
    into.append(buffer.data(), static_cast<size_t>(n));
  } else if (n == 0 || errno != EINTR) {
    from.close();
  }
}

/// Writes what fits; closes at the end, or when nobody reads.
void feed(Descriptor& into, const std::string& bytes, size_t& done) {
  const ssize_t n = ::write(into.number(), bytes.data() + done, bytes.size() - done);
  if (n > 0) {
    done += static_cast<size_t>(n);
  }
  if (done == bytes.size() || (n < 0 && errno != EINTR && errno != EAGAIN)) {
    into.close();
  }
}

/// Returns the environment of this process with `given`, `NAME=VALUE` each, in place of what it says
/// of the same names.
std::vector<std::string> environment_with(std::vector<std::string> given) {
  std::set<std::string> names;
  for (const std::string& variable : given) {
    names.insert(variable.substr(0, variable.find('=')));
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string inherited = *variable;
    if (!names.contains(inherited.substr(0, inherited.find('=')))) {
      given.push_back(inherited);
    }
  }
  return given;
}

/// Passes on the lines of `out` that have become complete; `n_told`: bytes passed on so far.
void tell_lines(const std::string& out, size_t& n_told,
                const std::function<void(const std::string&)>& on_line) {
  for (size_t end = out.find('\n', n_told); end != out.npos; end = out.find('\n', n_told)) {
    on_line(out.substr(n_told, end - n_told));
    n_told = end + 1;
  }
}

}  // namespace

ProcessResult run_process(const std::string& command, const ProcessOptions& options) {
  Pipe in, out, err;
  std::vector<std::string> variables = environment_with(options.environment);
  std::vector<char*> environment;
  for (std::string& variable : variables) {
    environment.push_back(variable.data());
  }
  environment.push_back(nullptr);
  const char* const arguments[] = {"/bin/sh", "-c", command.c_str(), nullptr};
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  TORCH_CHECK(child >= 0, "no process can be made: ", std::strerror(errno));
  if (child == 0) {  // only what is safe after a fork of a process with threads
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent && ::dup2(in.read.number(), 0) == 0 &&
        ::dup2(out.write.number(), 1) == 1 && ::dup2(err.write.number(), 2) == 2) {
      ::signal(SIGPIPE, SIG_DFL);
      ::signal(SIGXFSZ, SIG_DFL);
      ::execve(arguments[0], const_cast<char**>(arguments), environment.data());
    }
    ::_exit(127);
  }
  ::setpgid(child, child);
  in.read.close();
  out.write.close();
  err.write.close();
  ::fcntl(in.write.number(), F_SETFL, O_NONBLOCK);

  // A command that reads nothing must not end this process.
  sigset_t pipe_signal;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);

  ProcessResult result;
  size_t n_fed = 0, n_told = 0;
  const double started = now();
  while (out.read.number() >= 0 || err.read.number() >= 0) {
    const bool stopped = options.stop_requested && options.stop_requested();
    if (stopped || (options.time_limit > 0 && now() - started > options.time_limit)) {
      result.ending = stopped ? ProcessEnding::Stopped : ProcessEnding::TimedOut;
      ::kill(-child, SIGKILL);
      break;
    }
    std::array<pollfd, 3> waiting = {{{in.write.number(), POLLOUT, 0},
                                      {out.read.number(), POLLIN, 0},
                                      {err.read.number(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), kPollMilliseconds);
    if (waiting[0].revents != 0) {
      feed(in.write, options.input, n_fed);
    }
    if (waiting[1].revents != 0) {
      drain(out.read, result.out);
      if (options.on_line) {
        tell_lines(result.out, n_told, options.on_line);
      }
    }
    if (waiting[2].revents != 0) {
      drain(err.read, result.err);
    }
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // A signal to all processes of a job may meet the command before it meets this one.
  const bool was_killed = WIFSIGNALED(status) || WEXITSTATUS(status) > 128;
  if (result.ending == ProcessEnding::Exited && was_killed && options.stop_requested) {
    for (const double end = now() + kGrace; now() < end && !options.stop_requested();) {
      ::poll(nullptr, 0, kPollMilliseconds / 10);
    }
    if (options.stop_requested()) {
      result.ending = ProcessEnding::Stopped;
    }
  }
  const timespec now = {};
  while (::sigtimedwait(&pipe_signal, nullptr, &now) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (result.ending == ProcessEnding::Exited && WIFSIGNALED(status)) {
    result.ending = ProcessEnding::Killed;
  }
  result.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

std::string host_name() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace retia
