#pragma once

#include <functional>
#include <string>

#include "retia/engine/base/json.h"
#include "retia/engine/cost/expected_cost.h"
#include "retia/engine/io/option.h"
#include "retia/engine/space/space.h"

namespace retia::ir {

/// Limits on the cost of a model for one sample; latency is in milliseconds of a batch, from the
/// table. A bound of 0 means no bound.
struct Window {
  int64_t min_multiply_adds = 0;
  int64_t max_multiply_adds = 0;
  int64_t min_parameters = 0;
  int64_t max_parameters = 0;
  double min_latency = 0;
  double max_latency = 0;
  std::string table = "";  ///< file of latencies (see LatencyTable)
};
inline std::vector<Option> declared(Window& o) {
  const Range bound{0};
  return {
      option("min_multiply_adds", o.min_multiply_adds, bound, "least multiply-adds (MACs)"),
      option("max_multiply_adds", o.max_multiply_adds, bound, "most multiply-adds; 0: no limit"),
      option("min_parameters", o.min_parameters, bound, "least parameters"),
      option("max_parameters", o.max_parameters, bound, "most parameters; 0: no limit"),
      option("min_latency", o.min_latency, bound, "least latency, in ms"),
      option("max_latency", o.max_latency, bound, "most latency, in ms; 0: no limit"),
      option("table", o.table, "file of latencies"),
  };
}

/// Splits `window` into `n` adjacent windows with equal ranges of multiply-adds. A bound between
/// two windows belongs to both. Throws unless n is 1, or both bounds of multiply-adds are set at
/// least n apart.
std::vector<Window> parts(const Window& window, int64_t n);

/// Returns whether an architecture is admitted.
using Filter = std::function<bool(const Architecture&)>;

/// Returns the function architecture → cost of its model, for architectures of `space`; it throws
/// where there is no valid model. Where the possible primitives of the space can be listed, `cost`
/// is called now for each of them, and may throw.
std::function<double(const Architecture&)> cost_in(const Space& space, const OperationCost& cost);

/// Returns a filter that admits the architectures of `space` that have a valid model whose cost
/// `window` allows; null, meaning all are admitted, for a window without bounds. Throws on bounds
/// that exclude everything, and where latency is bounded but the table lacks an operation of
/// `space`.
Filter within(const Space& space, const Window& window);

}  // namespace retia::ir
