#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "retia/engine/base/clock.h"
#include "retia/tests/apps/program_runs.h"

namespace retia {

inline void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// The program in a process of its own, its output in a file. Killed where it still runs at the
/// end.
class Process {
 public:
  /// variables: `NAME=VALUE`, beside the environment of this process.
  Process(Words words, const std::filesystem::path& log, Words variables = {}) {
    words.insert(words.begin(), RETIA_PROGRAM);
    std::vector<char*> argv = pointers(words), environment = pointers(variables);
    environment.pop_back();
    for (char** variable = environ; *variable != nullptr; ++variable) {
      environment.push_back(*variable);
    }
    environment.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    const int failure =
        posix_spawn(&pid_, argv[0], &files, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&files);
    TORCH_CHECK(failure == 0, RETIA_PROGRAM, " cannot be started");
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      send(SIGKILL);
      wait();
    }
  }

  pid_t pid() const { return pid_; }
  void send(int signal) const { kill(pid_, signal); }

  /// The exit code, or minus the signal that ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  static std::vector<char*> pointers(Words& words) {
    std::vector<char*> all;
    for (std::string& word : words) {
      all.push_back(word.data());
    }
    all.push_back(nullptr);
    return all;
  }

  pid_t pid_ = -1;
};

/// Waits until `happened`; a minute at most.
inline void wait_until(const std::function<bool()>& happened) {
  for (const double end = now() + 60; !happened() && now() < end;) {
    sleep_for(0.002);
  }
  ASSERT_TRUE(happened());
}

/// The number of a process's parent; 0: it is dead, though perhaps nobody has asked after it yet.
inline pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');
  char state = 'Z';
  pid_t parent = 0;
  if (name_end != std::string::npos) {
    std::istringstream(text.substr(name_end + 1)) >> state >> parent;
  }
  return state == 'Z' ? 0 : parent;
}

/// The processes that `parent` has started and that live.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && parent_of(process) == parent) {
      children.push_back(process);
    }
  }
  return children;
}

}  // namespace retia
