#pragma once

#include <string>

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// Returns a text that shows a program, an instruction a line: what it computes, the MACs and the
/// bytes moved in a forward pass of one sample in float32, and the bytes that running layer by
/// layer would move. Below an instruction that replaced others stand the condition under which it
/// runs and, after "else", those that run elsewhere.
///
/// Bytes count each tensor that an operation reads or writes once; weights and data that stay in
/// the processor's caches are not counted. A backward pass takes about twice as much of both.
std::string explain(const Program& program);

}  // namespace retia::executor
