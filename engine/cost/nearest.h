#pragma once

#include <string>
#include <vector>

#include "retia/engine/cost/window.h"

namespace retia::ir {

/// Returns, for users, the costs of that one of `candidates`, architectures of `space`, which comes
/// nearest to what `window` allows, and the bounds: "multiply_adds 576 (at most 300), parameters 36
/// (at least 10)". Nearest is the smallest sum, over the bounds, of how far a cost lies outside, as
/// a fraction of the bound; of equals the earlier candidate. Empty where the window has no bounds,
/// and where no candidate has a valid model.
std::string nearest_costs(const Space& space, const Window& window,
                          const std::vector<Architecture>& candidates);

}  // namespace retia::ir
