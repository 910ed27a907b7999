#pragma once

#include <signal.h>

#include <utility>
#include <vector>

namespace retia {

/// Sets right, while it lives, what a process may have inherited from a careless parent:
/// - a closed standard stream is opened on /dev/null, and stays open, so that no file of a run gets
///   its number and is written into by whoever prints;
/// - SIGCHLD that is ignored has its default action, without which no exit code of a child is known;
/// - SIGPIPE and SIGXFSZ with the default action are ignored, so that a write which fails is an error
///   that can be told, and does not end the process.
/// The handlers of a host are left alone. Children inherit what is ignored; run_process() resets it.
class ProcessSetup {
 public:
  ProcessSetup();
  ProcessSetup(const ProcessSetup&) = delete;
  ProcessSetup& operator=(const ProcessSetup&) = delete;
  /// Restores the actions of signals.
  ~ProcessSetup();

 private:
  void replace(int signal, void (*found)(int), void (*by)(int));

  std::vector<std::pair<int, struct sigaction>> replaced_;
};

}  // namespace retia
