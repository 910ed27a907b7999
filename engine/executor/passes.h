#pragma once

#include <functional>
#include <string>
#include <vector>

#include "retia/engine/executor/program.h"

namespace retia {

/// The way in which graphs are run: layer by layer, or rewritten by all passes. Both compute the
/// same up to rounding.
enum class Executor { Reference, Fused };

/// Returns the executor of the name "reference" or "fused". Throws on any other.
Executor executor_of(const std::string& name);

}  // namespace retia

namespace retia::executor {

/// A rewrite of a program into one that computes the same.
struct Pass {
  std::string name;                     ///< name in messages, e.g. "fuse_conv_norm"
  std::function<Program(Program)> run;  ///< returns the rewritten program
};

/// Returns the passes of the fused executor, in the order in which they run.
std::vector<Pass> standard_passes();

/// Returns the passes of `executor`: none, or the standard ones.
std::vector<Pass> passes_of(Executor executor);

/// Runs `passes` one after the other and verifies the program after each; `after` is called with
/// the result of each. Throws, naming the pass, where a pass breaks the rules of programs.
Program run_passes(Program program, const std::vector<Pass>& passes,
                   const std::function<void(const Pass&, const Program&)>& after = nullptr);

}  // namespace retia::executor
