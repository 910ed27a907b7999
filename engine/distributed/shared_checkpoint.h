#pragma once

#include "engine/distributed/ranks.h"
#include "engine/io/checkpoint.h"

namespace retia {

/// The first rank's checkpoint, on all of them; the others' are not looked at.
Checkpoint broadcast(Ranks& ranks, const Checkpoint& mine);

}  // namespace retia
