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

/// Checks that all ranks begin with the same `facts`, a JSON object: code, options, data, graph.
/// Otherwise throws the same line on every rank: "rank 2 differs from rank 0: data.limit is 0
/// on rank 0 and 100 on rank 2: …".
void check_same_start(Ranks& ranks, const Json& facts);

}  // namespace retia
