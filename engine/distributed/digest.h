#pragma once

#include <map>
#include <string>

#include "engine/distributed/ranks.h"

namespace retia {

/// Compares what must be the same on all ranks, bit for bit: a checksum of each tensor, and
/// `state`. Throws on every rank, naming the ranks that differ from the first and the tensors,
/// where something is not; `when`: in the error, e.g. "after step 200".
void check_agreement(Ranks& ranks, const std::map<std::string, at::Tensor>& tensors,
                     const std::string& state, const std::string& when);

}  // namespace retia
