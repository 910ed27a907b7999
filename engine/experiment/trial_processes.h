#pragma once

#include <sys/types.h>

#include <map>

#include "engine/experiment/fork_server.h"

namespace retia {

/// Processes of trials, which a fork server starts: `PROGRAM trial --server` with a socket as its
/// standard input (see serve_trials). The server ends, and with it all trials, when this object or
/// its process does; where it dies by itself another is started.
class TrialProcesses {
 public:
  /// program: of the server; by default this one.
  explicit TrialProcesses(std::filesystem::path program = "/proc/self/exe");
  TrialProcesses(const TrialProcesses&) = delete;
  TrialProcesses& operator=(const TrialProcesses&) = delete;
  ~TrialProcesses();

  /// Starts one, with an id that none that runs has.
  void start(const ProcessRequest& request);

  /// Asks one to end, and sees to it. Nothing happens where it has ended already.
  void stop(int64_t id);

  /// Those that have ended since the last call; waits for one up to `seconds`, and less where a
  /// signal comes. Throws where the server cannot be started.
  std::vector<ProcessEnd> wait(double seconds);

 private:
  void open();
  /// The status that waitpid gives.
  int close();
  bool has_message(double seconds, bool& interrupted) const;
  std::vector<ProcessEnd> replace_server();

  std::filesystem::path program_;
  int socket_ = -1;
  pid_t server_ = -1;
  int64_t n_failed_starts_ = 0;       // since one was ready
  bool ready_ = false;                // the server has said so
  std::map<int64_t, pid_t> running_;  // by id; 0: the process is not known yet
};

}  // namespace retia
