#pragma once

#include <functional>
#include <string>
#include <vector>

#include "retia/engine/io/keeper.h"

namespace retia {

/// The ways in which a process ended.
enum class ProcessEnding { Exited, Killed, Stopped, TimedOut };

struct ProcessResult {
  ProcessEnding ending = ProcessEnding::Exited;
  int code = 0;                    ///< the exit code or, where killed, the signal
  std::string out = {}, err = {};  ///< the last ProcessOptions::kept bytes of each output
};

/// The settings with which a process is run.
struct ProcessOptions {
  std::string input = "";  ///< text for its standard input
  /// `NAME=VALUE`, added to the environment of this process, of which they replace equal names.
  std::vector<std::string> environment = {};
  double time_limit = 0;                      ///< seconds; 0: none
  std::function<bool()> stop_requested = {};  ///< polled ten times a second; null: never
  /// Receives each complete line, up to a MiB long, of the process's standard output before
  /// stop_requested is polled again; must not throw. Null: ignored.
  std::function<void(const std::string& line)> on_line = {};
  size_t kept = 1 << 24;                       ///< bytes of each output that are kept
  Descendants descendants = Descendants::End;  ///< what becomes of what the command has started
};

/// Runs `command` by /bin/sh, and waits for it. It is over when /bin/sh ends; what it has started is
/// killed then (see ProcessOptions::descendants), at the time limit, when a stop is requested, and
/// when this process dies (see start_keepers). A process that a signal ended shortly before a stop
/// request counts as stopped. Where no process can be made for now, this is tried again for minutes;
/// then it throws.
ProcessResult run_process(const std::string& command, const ProcessOptions& options = {});

/// Returns the name of this machine.
std::string host_name();

}  // namespace retia
