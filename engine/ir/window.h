#pragma once

#include <functional>
#include <string>

#include "engine/ir/expected_cost.h"
#include "engine/ir/space.h"
#include "engine/json.h"

namespace retia::ir {

/// What a model may cost, for one sample; latency in milliseconds of a batch, by the table. A bound
/// of 0 is none.
struct Window {
  int64_t min_multiply_adds = 0, max_multiply_adds = 0;
  int64_t min_parameters = 0, max_parameters = 0;
  double min_latency = 0, max_latency = 0;
  std::string table = "";  ///< file of latencies (see LatencyTable)
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Window, min_multiply_adds, max_multiply_adds,
                                                min_parameters, max_parameters, min_latency,
                                                max_latency, table)

/// `window` in `n` windows side by side, of equal ranges of multiply-adds; a bound where two meet
/// is of both. Throws unless n is 1, or the bounds are that far apart.
std::vector<Window> parts(const Window& window, int64_t n);

/// Whether an architecture is admitted.
using Filter = std::function<bool(const Architecture&)>;

/// What the model of an architecture costs, of those of `space`. Where all that these may consist
/// of can be listed it is asked for at once, and `cost` may throw.
std::function<double(const Architecture&)> cost_in(const Space& space, const OperationCost& cost);

/// Admits the architectures of `space` whose model costs what the window allows; null, which admits
/// all, for a window without bounds. Throws on bounds that leave no room, and where latency is
/// bounded and the table lacks what `space` may consist of.
Filter within(const Space& space, const Window& window);

}  // namespace retia::ir
