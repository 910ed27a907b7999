#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace retia {

/// The fate of the processes that a command has started and that are alive when it ends.
enum class Descendants {
  End,   ///< they are killed, also those that called setsid
  Leave  ///< they go on, unless the command is ended by its time limit or on request
};

/// A command to be run under keepers. All descriptors are of this process and stay open in it.
struct KeptCommand {
  std::vector<const char*> arguments = {};  ///< program and arguments; ends with a null pointer
  std::vector<char*> environment = {};      ///< `NAME=VALUE`; ends with a null pointer
  int in = -1, out = -1, err = -1;          ///< its standard streams
  int report = -1;                          ///< a pipe that takes the KeeperReport
  Descendants descendants = Descendants::End;
};

/// The report that keepers write into a pipe when the command has ended or could not be started. The
/// pipe closes without a report where the keepers are killed.
struct KeeperReport {
  int failure = 0;  ///< the errno of fork; 0: the command was started
  int status = 0;   ///< as waitpid gives it
};

/// Forks two keepers, each of which adopts the orphans of the command below it (subreapers), and
/// the command. Whichever one process dies (this one, a keeper, the command), the others see it:
/// all that the command has started is killed, and then the keepers end. They are processes without
/// exec, in a session of their own, and hold nothing of this process but memory that is shared with
/// it. SIGTERM, sent by this process to the returned one, ends all.
/// Returns the outer keeper, to be waited for; -1 with errno where no process can be made.
pid_t start_keepers(const KeptCommand& command);

}  // namespace retia
