#pragma once

namespace retia {

/// Restarts this program once, in the same process, with GOMP_SPINCOUNT=4000, unless the
/// environment has GOMP_SPINCOUNT or OMP_WAIT_POLICY, or the command of `argv` computes nothing on
/// several threads. `argv`: as main has it. Processes that the program starts inherit the variable.
///
/// Between two parallel loops OpenMP's threads spin 300,000 times before they sleep. On cores that
/// other processes use as well, a thread that spins keeps the one it waits for from running: a step
/// beside two busy processes took 60 times as long. 4,000 spins cost 2 % on a quiet machine
/// (docs/performance.md). OpenMP's runtime reads the variable when it is loaded, before main; hence
/// the restart, which loads LibTorch twice: 0.2 s.
void spin_briefly(char** argv);

}  // namespace retia
