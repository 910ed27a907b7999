#pragma once

#include <sys/types.h>

#include <map>

#include "retia/engine/experiment/fork_server.h"

namespace retia {

/// Starts the processes of trials through a fork server: `PROGRAM trial --server` with a socket as
/// its standard input (see serve_trials). When this object or its process ends, the server and all
/// trials end; a server that dies by itself, or does not answer any more, is replaced.
class TrialProcesses {
 public:
  /// `program`: the server's program; by default this one. `warn`: is told that a server is
  /// replaced because it does not answer; null: nobody is. `patience`: seconds in which a server
  /// that has begun answers.
  explicit TrialProcesses(std::filesystem::path program = "/proc/self/exe",
                          std::function<void(const std::string&)> warn = {}, double patience = 60);
  TrialProcesses(const TrialProcesses&) = delete;
  TrialProcesses& operator=(const TrialProcesses&) = delete;
  ~TrialProcesses();

  /// Starts a process. Its id must differ from those of all running ones.
  void start(const ProcessRequest& request);

  /// Asks a process to end, and kills it if it does not. Does nothing where it has ended already.
  void stop(int64_t id);

  /// Returns the processes that ended since the last call; waits up to `seconds` for one, less
  /// where a signal comes. Throws where the server cannot be started.
  std::vector<ProcessEnd> wait(double seconds);

 private:
  void open();
  void expect_message(double seconds);
  void look_after_server();
  /// Closes the socket and waits for the server to end; kills it after `seconds`. Returns its wait
  /// status.
  int close(double seconds);
  bool has_message(double seconds, bool& interrupted) const;
  std::vector<ProcessEnd> replace_server();

  std::filesystem::path program_;
  std::function<void(const std::string&)> warn_;
  double patience_;
  int socket_ = -1;
  pid_t server_ = -1;
  int64_t n_failed_starts_ = 0;             // since the last server that became ready
  bool ready_ = false;                      // the server has sent Message::Ready
  double heard_ = 0;                        // when the server has sent its last message
  std::optional<double> message_due_ = {};  // when it counts as silent
  std::map<int64_t, pid_t> running_;        // id → process; 0: not known yet
};

}  // namespace retia
