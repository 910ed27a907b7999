#include "retia/engine/io/process.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "retia/engine/base/clock.h"
#include "retia/engine/io/patience.h"

namespace retia {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr double kGrace = 1;          // seconds
constexpr double kSecondsToEnd = 10;  // for all that a command has started
constexpr size_t kChunk = 1 << 16;
constexpr size_t kLongestLine = 1 << 20;

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
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

struct Pipe {
  Descriptor read, write;

  /// Returns 0 or an errno.
  int open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return errno;
    }
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    return 0;
  }
};

/// Returns what can be read now; closes at the end.
std::string drain(Descriptor& from) {
  std::string chunk(kChunk, '\0');
  const ssize_t n = ::read(from.number(), chunk.data(), chunk.size());
  if (n == 0 || (n < 0 && errno != EINTR)) {
    from.close();
  }
  chunk.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return chunk;
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

/// The end of a text that is too long to be kept.
class Tail {
 public:
  explicit Tail(size_t n_kept) : n_kept_(n_kept) {}
  void add(const std::string& more) {
    text_ += more;
    if (text_.size() > 2 * n_kept_) {  // so that each byte is moved once
      text_.erase(0, text_.size() - n_kept_);
    }
  }
  std::string take() {
    text_.erase(0, text_.size() - std::min(text_.size(), n_kept_));
    return std::move(text_);
  }

 private:
  std::string text_;
  size_t n_kept_;
};

/// Passes on the lines of a text as they become complete.
class Lines {
 public:
  explicit Lines(const std::function<void(const std::string&)>& on_line) : on_line_(on_line) {}
  void add(const std::string& more) {
    size_t begin = 0;
    for (size_t end = 0; on_line_ && (end = more.find('\n', begin)) != more.npos; begin = end + 1) {
      extend(more, begin, end);
      if (!is_too_long_) {
        on_line_(line_);
      }
      line_.clear();
      is_too_long_ = false;
    }
    extend(more, begin, more.size());
  }

 private:
  void extend(const std::string& by, size_t begin, size_t end) {
    is_too_long_ = is_too_long_ || line_.size() + end - begin > kLongestLine;
    if (!is_too_long_) {
      line_.append(by, begin, end - begin);
    }
  }

  const std::function<void(const std::string&)>& on_line_;
  std::string line_;
  bool is_too_long_ = false;
};

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

/// Blocks SIGPIPE while it lives: a command that reads nothing must not end this process.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;
  ~NoPipeSignal() {
    const timespec now = {};
    while (::sigismember(&before_, SIGPIPE) == 0 && ::sigtimedwait(&signal_, nullptr, &now) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t signal_, before_;
};

/// One attempt to run a command.
class CommandRun {
 public:
  CommandRun(const std::string& command, const ProcessOptions& options)
      : command_(command),
        options_(options),
        out_text_(options.kept),
        err_text_(options.kept),
        lines_(options.on_line) {}

  /// Starts the keepers; returns 0 or an errno.
  int start() {
    Pipe in, out, err, report;
    for (Pipe* pipe : {&in, &out, &err, &report}) {
      if (const int failure = pipe->open(); failure != 0) {
        return failure;
      }
    }
    std::vector<std::string> variables = environment_with(options_.environment);
    KeptCommand kept{.arguments = {"/bin/sh", "-c", command_.c_str(), nullptr},
                     .in = in.read.number(),
                     .out = out.write.number(),
                     .err = err.write.number(),
                     .report = report.write.number(),
                     .descendants = options_.descendants};
    for (std::string& variable : variables) {
      kept.environment.push_back(variable.data());
    }
    kept.environment.push_back(nullptr);
    keeper_ = start_keepers(kept);
    if (keeper_ < 0) {
      return errno;
    }
    ::fcntl(in.write.number(), F_SETFL, O_NONBLOCK);
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
    report_ = std::move(report.read);
    return 0;
  }

  /// Waits until all is over; returns 0, or an errno where the command could not be started.
  int wait() {
    const NoPipeSignal no_signal;
    const double started = now();
    while (!is_over()) {
      const bool late = options_.time_limit > 0 && now() - started > options_.time_limit;
      const bool stopped = options_.stop_requested && options_.stop_requested();
      if ((stopped || late) && !ended_by_ && !has_report_) {
        end(stopped ? ProcessEnding::Stopped : ProcessEnding::TimedOut);
      }
      serve();
    }
    if (report_.is_open()) {
      ::kill(keeper_, SIGKILL);  // hangs; the inner one sees it
    }
    while (::waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {
    }
    return said_.failure;
  }

  ProcessResult result() {
    // Keepers that somebody has killed have said nothing.
    const int status = has_report_ ? said_.status : SIGKILL;
    ProcessEnding ending = WIFSIGNALED(status) ? ProcessEnding::Killed : ProcessEnding::Exited;
    const bool was_killed = WIFSIGNALED(status) || WEXITSTATUS(status) > 128;
    if (!ended_by_ && was_killed && is_stopped_soon()) {
      ending = ProcessEnding::Stopped;
    }
    return {.ending = ended_by_.value_or(ending),
            .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
            .out = out_text_.take(),
            .err = err_text_.take()};
  }

 private:
  bool is_over() const {
    return (!report_.is_open() && !out_.is_open() && !err_.is_open()) || now() >= give_up_at_;
  }

  /// Asks the keeper to kill all.
  void end(ProcessEnding why) {
    ended_by_ = why;
    ::kill(keeper_, SIGTERM);
    ::kill(keeper_, SIGCONT);
    give_up_at_ = now() + kSecondsToEnd;
  }

  void serve() {
    std::array<pollfd, 4> waiting = {{{in_.number(), POLLOUT, 0},
                                      {out_.number(), POLLIN, 0},
                                      {err_.number(), POLLIN, 0},
                                      {report_.number(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), kPollMilliseconds);
    if (waiting[0].revents != 0) {
      feed(in_, options_.input, n_fed_);
    }
    if (waiting[1].revents != 0) {
      const std::string chunk = drain(out_);
      out_text_.add(chunk);
      lines_.add(chunk);
    }
    if (waiting[2].revents != 0) {
      err_text_.add(drain(err_));
    }
    if (waiting[3].revents != 0) {
      hear();
    }
  }

  /// Reads the report; afterwards the outputs stay open for a while only.
  void hear() {
    const ssize_t n = ::read(report_.number(), &said_, sizeof said_);
    has_report_ = has_report_ || n == sizeof said_;
    if (n == 0 || (n < 0 && errno != EINTR)) {
      report_.close();
    }
    give_up_at_ = std::min(give_up_at_, now() + kSecondsToEnd);
  }

  /// Returns whether a stop is requested within a second. A signal to all processes of a job may
  /// meet the command before it meets this one.
  bool is_stopped_soon() const {
    if (!options_.stop_requested) {
      return false;
    }
    for (const double end = now() + kGrace; now() < end && !options_.stop_requested();) {
      ::poll(nullptr, 0, kPollMilliseconds / 10);
    }
    return options_.stop_requested();
  }

  const std::string& command_;
  const ProcessOptions& options_;
  pid_t keeper_ = -1;
  Descriptor in_, out_, err_, report_;
  size_t n_fed_ = 0;
  Tail out_text_, err_text_;
  Lines lines_;
  KeeperReport said_;
  bool has_report_ = false;
  std::optional<ProcessEnding> ended_by_;  // by this process
  double give_up_at_ = std::numeric_limits<double>::infinity();
};

}  // namespace

ProcessResult run_process(const std::string& command, const ProcessOptions& options) {
  std::optional<CommandRun> run;
  const auto attempt = [&] {
    run.emplace(command, options);
    const int failure = run->start();
    return failure != 0 ? failure : run->wait();
  };
  const int failure = patiently(attempt, kProcessPatience, options.stop_requested);
  if (is_passing(failure) && options.stop_requested && options.stop_requested()) {
    return {.ending = ProcessEnding::Stopped};
  }
  TORCH_CHECK(failure == 0, no_process(failure));
  return run->result();
}

std::string host_name() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

}  // namespace retia
