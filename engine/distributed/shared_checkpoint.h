#pragma once

#include "retia/engine/distributed/ranks.h"
#include "retia/engine/io/checkpoint.h"

namespace retia {

/// Returns the checkpoint of the first rank on every rank; `mine` is read on the first rank only.
Checkpoint broadcast(Ranks& ranks, const Checkpoint& mine);

}  // namespace retia
