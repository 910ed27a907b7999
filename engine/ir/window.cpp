#include "engine/ir/window.h"

#include "engine/ir/freeze.h"
#include "engine/ir/profile.h"

namespace retia::ir {
namespace {

bool between(int64_t low, int64_t value, int64_t high) {
  return low <= value && (high == 0 || value <= high);
}

void check_bounds(const char* what, int64_t low, int64_t high) {
  TORCH_CHECK(low >= 0 && high >= 0 && (high == 0 || low <= high), "window: min_", what, " ", low,
              " and max_", what, " ", high, " leave no room: bounds are at least 0, 0 is none");
}

}  // namespace

Filter within(const Graph& space, const Window& w) {
  check_bounds("multiply_adds", w.min_multiply_adds, w.max_multiply_adds);
  check_bounds("parameters", w.min_parameters, w.max_parameters);
  if (w.min_multiply_adds == 0 && w.max_multiply_adds == 0 && w.min_parameters == 0 &&
      w.max_parameters == 0) {
    return nullptr;
  }
  return [space, w](const Architecture& architecture) {
    const Cost cost = total_cost(freeze(space, canonical(space, architecture)));
    return between(w.min_multiply_adds, cost.multiply_adds.value(), w.max_multiply_adds) &&
           between(w.min_parameters, cost.parameters.value(), w.max_parameters);
  };
}

}  // namespace retia::ir
