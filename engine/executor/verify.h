#pragma once

#include "retia/engine/executor/program.h"

namespace retia::executor {

/// Throws one line that names the instruction where `program` breaks a rule:
/// - instructions come in the order of their places;
/// - a value is written before it is read, and once; what an instruction replaced may also read
///   what other replaced instructions write;
/// - an instruction writes nothing that those it replaced do not write;
/// - the outputs of the program are written.
void verify(const Program& program);

/// Throws unless `after`, which a pass has made of `before`, keeps all its instructions, each once,
/// in the program or replaced by another, and has the same inputs and outputs.
void verify_kept(const Program& before, const Program& after);

}  // namespace retia::executor
