#pragma once

#include <vector>

#include "retia/engine/base/random.h"
#include "retia/engine/mutables/mutable.h"
#include "retia/engine/symbolic/architecture.h"

namespace retia {

/// Draws a uniform decision for `choice`: each set of n_chosen candidates is equally likely; where
/// any number may be chosen, each candidate has probability 1/2.
Decision sample_uniformly(const Mutable& choice, Random& random);

/// Draws a uniform decision for each of `mutables`, in their order.
Architecture sample_uniformly(const std::vector<Mutable>& mutables, Random& random);

}  // namespace retia
