#pragma once

#include <functional>

#include "engine/ir/graph.h"
#include "engine/json.h"

namespace retia::ir {

/// What a model may cost, for one sample; a bound of 0 is none.
struct Window {
  int64_t min_multiply_adds = 0, max_multiply_adds = 0;
  int64_t min_parameters = 0, max_parameters = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Window, min_multiply_adds, max_multiply_adds,
                                                min_parameters, max_parameters)

/// Whether an architecture is admitted.
using Filter = std::function<bool(const Architecture&)>;

/// Admits the architectures of `space` whose model costs what the window allows; null, which admits
/// all, for a window without bounds. Throws on bounds that leave no room.
Filter within(const Graph& space, const Window& window);

}  // namespace retia::ir
