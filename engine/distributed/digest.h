#pragma once

#include <map>
#include <string>

#include "retia/engine/base/json.h"
#include "retia/engine/distributed/ranks.h"

namespace retia {

/// Checks that tensors and `state`, a JSON object, are equal on all ranks, bit for bit, by
/// comparing checksums. Otherwise throws on every rank, naming the ranks that differ from the first
/// rank, and the tensors and entries that differ. `when` is used in the message, e.g. "after step
/// 200".
void check_agreement(Ranks& ranks, const std::map<std::string, at::Tensor>& tensors,
                     const Json& state, const std::string& when);

}  // namespace retia
