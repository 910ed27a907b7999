#pragma once

namespace retia {

/// Restarts this program once, in the same process, with GOMP_SPINCOUNT=4000, unless the environment
/// has GOMP_SPINCOUNT or OMP_WAIT_POLICY, or the command computes nothing on several threads.
///
/// Between two parallel loops OpenMP's threads spin 300,000 times before they sleep. On cores that
/// other processes use as well, a thread that spins keeps the one it waits for from running: a step
/// then took up to 60 times as long. 4,000 cost 3 % on a quiet machine (docs/performance.md). The
/// runtime reads the variable when it is loaded, before main; hence the restart.
/// argv: of main.
void spin_briefly(char** argv);

}  // namespace retia
