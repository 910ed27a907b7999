#pragma once

#include <sys/types.h>

#include <cstdint>

namespace retia {

/// Bytes that the processes of a session hold in memory, shared ones counted in each. A process is
/// of the session that its parent was of when it was made, unless it has called setsid: so these
/// are a session's leader and all that it has started, groups of their own and orphans included.
int64_t memory_of_session(pid_t leader);

/// Kills all processes of a session.
void kill_session(pid_t leader);

}  // namespace retia
