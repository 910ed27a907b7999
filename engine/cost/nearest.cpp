#include "retia/engine/cost/nearest.h"

#include <c10/util/StringUtil.h>

#include <limits>

#include "retia/engine/cost/cost_measure.h"

namespace retia::ir {
namespace {

/// The bounds on one cost; a high one of 0 is none.
struct Bound {
  CostMeasure measure;
  std::function<double(const Architecture&)> cost;
  double low = 0, high = 0;

  /// Returns how far `value` lies outside, as a fraction of the bound.
  double excess(double value) const {
    return value < low ? (low - value) / low : high > 0 && value > high ? (value - high) / high : 0;
  }

  std::string shown(double value) const {
    const std::string least = low > 0 ? c10::str("at least ", low) : "";
    const std::string most = high > 0 ? c10::str("at most ", high) : "";
    return c10::str(Json(measure).get<std::string>(), " ", value, " (", least,
                    least.empty() || most.empty() ? "" : ", ", most, ")");
  }
};

std::vector<Bound> bounds_of(const Space& space, const Window& w) {
  std::vector<Bound> bounds;
  const auto add = [&](CostMeasure measure, double low, double high) {
    if (low > 0 || high > 0) {
      bounds.push_back(
          {measure, cost_in(space, operation_cost(measure, w.table, space.name())), low, high});
    }
  };
  add(CostMeasure::MultiplyAdds, static_cast<double>(w.min_multiply_adds),
      static_cast<double>(w.max_multiply_adds));
  add(CostMeasure::Parameters, static_cast<double>(w.min_parameters),
      static_cast<double>(w.max_parameters));
  add(CostMeasure::Latency, w.min_latency, w.max_latency);
  return bounds;
}

}  // namespace

std::string nearest_costs(const Space& space, const Window& window,
                          const std::vector<Architecture>& candidates) {
  const std::vector<Bound> bounds = bounds_of(space, window);
  double least = std::numeric_limits<double>::infinity();
  std::string nearest;
  for (const Architecture& candidate : candidates) {
    if (bounds.empty() || !space.find_model(candidate)) {
      continue;
    }
    double excess = 0;
    std::string shown;
    for (const Bound& bound : bounds) {
      const double value = bound.cost(candidate);
      excess += bound.excess(value);
      shown += (shown.empty() ? "" : ", ") + bound.shown(value);
    }
    if (excess < least) {
      least = excess;
      nearest = shown;
    }
  }
  return nearest;
}

}  // namespace retia::ir
