#pragma once

#include <functional>
#include <string>
#include <vector>

namespace retia {

enum class ProcessEnding { Exited, Killed, Stopped, TimedOut };

struct ProcessResult {
  ProcessEnding ending = ProcessEnding::Exited;
  int code = 0;  ///< of exit or, where killed, the signal
  std::string out, err;
};

/// How a process is run.
struct ProcessOptions {
  std::string input = "";                     ///< what it reads from its standard input
  std::vector<std::string> environment = {};  ///< `NAME=VALUE`, beside the environment of this one
  double time_limit = 0;                      ///< seconds; 0: none
  std::function<bool()> stop_requested = {};  ///< asked ten times a second; null: never
  /// Told each whole line of its standard output as it comes, before stop_requested is asked again;
  /// must not throw. Null: nobody is.
  std::function<void(const std::string& line)> on_line = {};
};

/// Runs `command` by /bin/sh in a process group of its own, which is killed at the time limit, when
/// a stop is requested, and when this process dies. One that a signal ends shortly before a stop is
/// requested counts as stopped. Throws where no process can be made.
ProcessResult run_process(const std::string& command, const ProcessOptions& options = {});

/// The name of this machine.
std::string host_name();

}  // namespace retia
