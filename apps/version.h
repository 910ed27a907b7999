#pragma once

#include <string>

namespace retia {

/// Returns what `--version` prints, one line each: version and commit of this program, LibTorch,
/// the CUDA toolkit that compiled the module for GPUs (or none), and the instruction set in use.
std::string version();

}  // namespace retia
