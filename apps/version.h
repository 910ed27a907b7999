#pragma once

#include <string>

#include "retia/engine/base/json.h"

namespace retia {

/// Returns what `--version` prints, one line each: version and commit of this program, LibTorch,
/// the CUDA toolkit that compiled the module for GPUs (or none), and the instruction set in use.
std::string version();

/// Returns what version() tells, by name: version, commit, torch, cuda, instruction_set.
Json program_description();

}  // namespace retia
