#pragma once

namespace retia {

/// Catches SIGINT (Ctrl-C), SIGTERM, SIGHUP (the terminal is closed) and SIGUSR1 (sent by clusters
/// ahead of a time limit) while it lives: they only set a flag, so that a loop can finish its step
/// and write a checkpoint. A second SIGINT kills as usual. A SIGINT or SIGHUP that the process was
/// started to ignore (nohup, background jobs of sh) stays ignored. One object at a time, since
/// signals belong to the process.
class StopSignal {
 public:
  /// Installs the handlers. Throws when another StopSignal lives.
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  /// Restores the previous handlers.
  ~StopSignal();

  bool requested() const { return signal() != 0; }

  /// Returns the first signal that came (SIGINT, SIGTERM, SIGHUP or SIGUSR1); 0 while none has.
  int signal() const;
};

}  // namespace retia
