#pragma once

#include <functional>
#include <string>
#include <vector>

namespace retia {

/// The ways in which a process ended.
enum class ProcessEnding { Exited, Killed, Stopped, TimedOut };

struct ProcessResult {
  ProcessEnding ending = ProcessEnding::Exited;
  int code = 0;  ///< the exit code or, where killed, the signal
  std::string out, err;
};

/// The settings with which a process is run.
struct ProcessOptions {
  std::string input = "";  ///< text for its standard input
  /// `NAME=VALUE`, added to the environment of this process, of which they replace equal names.
  std::vector<std::string> environment = {};
  double time_limit = 0;                      ///< seconds; 0: none
  std::function<bool()> stop_requested = {};  ///< polled ten times a second; null: never
  /// Receives each complete line of the process's standard output before stop_requested is polled
  /// again; must not throw. Null: ignored.
  std::function<void(const std::string& line)> on_line = {};
};

/// Runs `command` by /bin/sh in a process group of its own, and waits for it. The group is killed
/// at the time limit, when a stop is requested, and when this process dies. A process that a signal
/// ended shortly before a stop request counts as stopped. Throws where no process can be created.
ProcessResult run_process(const std::string& command, const ProcessOptions& options = {});

/// Returns the name of this machine.
std::string host_name();

}  // namespace retia
