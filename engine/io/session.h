#pragma once

#include <sys/types.h>

#include <cstdint>

namespace retia {

/// Returns the resident bytes of all processes of a session and of their descendants, which may
/// have sessions of their own, with shared memory counted in each. A process inherits the session
/// of its parent unless it calls setsid; a session thus contains its leader and all descendants,
/// also those in process groups of their own and orphans. Keepers (see keeper.h) do not count.
int64_t memory_of_session(pid_t leader);

/// Kills all processes of a session.
void kill_session(pid_t leader);

}  // namespace retia
