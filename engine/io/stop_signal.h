#pragma once

namespace retia {

/// While it lives, SIGINT (Ctrl-C), SIGTERM and SIGUSR1 (what clusters are told to send ahead of a
/// time limit) only raise a flag, so that a loop can finish its step and write a checkpoint. A
/// second SIGINT kills, as ever. A SIGINT that the process was told to ignore (nohup, background
/// jobs of sh) stays ignored. One object at a time: signals belong to the process.
class StopSignal {
 public:
  /// Throws when another one lives.
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  /// Puts back the handlers that were there before.
  ~StopSignal();

  bool requested() const { return signal() != 0; }

  /// The first signal that came (SIGINT, SIGTERM or SIGUSR1); 0 while none has.
  int signal() const;
};

}  // namespace retia
