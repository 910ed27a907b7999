#pragma once

#include <map>
#include <string>

#include "engine/distributed/ranks.h"
#include "engine/json.h"

namespace retia {

/// Compares what must be the same on all ranks, bit for bit: a checksum of each tensor, and of each
/// entry of `state`, an object. Throws on every rank, naming the ranks that differ from the first
/// and the tensors and entries, where something is not; `when`: in the error, e.g. "after step
/// 200".
void check_agreement(Ranks& ranks, const std::map<std::string, at::Tensor>& tensors,
                     const Json& state, const std::string& when);

}  // namespace retia
