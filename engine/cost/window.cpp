#include "retia/engine/cost/window.h"

#include "retia/engine/cost/cost_measure.h"

namespace retia::ir {
namespace {

/// Returns the cost of the model of an architecture; none where it has no valid model.
using FindCost = std::function<std::optional<double>(const Architecture&)>;

FindCost find_cost_in(const Space& space, const OperationCost& cost) {
  if (space.mutators().empty()) {
    if (auto listed = ExpectedCost::listed(space.graph(), cost)) {
      return [expected = std::move(*listed)](const Architecture& architecture) {
        return expected.of(architecture);
      };
    }
  }
  return [space, cost](const Architecture& architecture) {
    const std::optional<Graph> model = space.find_model(architecture);
    return model ? std::optional(total_cost(*model, cost)) : std::nullopt;
  };
}

/// Bounds on one cost.
struct Bounds {
  FindCost cost;
  double low = 0, high = 0;

  bool admit(const Architecture& architecture) const {
    const std::optional<double> found = cost(architecture);
    return found && low <= *found && (high == 0 || *found <= high);
  }
};

}  // namespace

std::function<double(const Architecture&)> cost_in(const Space& space, const OperationCost& cost) {
  return [find = find_cost_in(space, cost), space](const Architecture& architecture) {
    const std::optional<double> found = find(architecture);
    TORCH_CHECK(found, "space '", space.name(), "' has no valid model of ",
                architecture.to_string());
    return *found;
  };
}

std::vector<Window> parts(const Window& window, int64_t n) {
  const int64_t range = window.max_multiply_adds - window.min_multiply_adds;
  TORCH_CHECK(n == 1 || (n > 1 && range >= n), "window: ", n,
              " parts need bounds of multiply-adds that far apart, got ", window.min_multiply_adds,
              " to ", window.max_multiply_adds);
  std::vector<Window> all(static_cast<size_t>(n), window);
  for (int64_t i = 1; i < n; ++i) {
    const int64_t bound = window.min_multiply_adds + range * i / n;
    all[static_cast<size_t>(i - 1)].max_multiply_adds = bound;
    all[static_cast<size_t>(i)].min_multiply_adds = bound;
  }
  return all;
}

Filter within(const Space& space, const Window& w) {
  std::vector<Bounds> bounds;
  const auto add = [&](CostMeasure measure, auto low, auto high) {
    const std::string what = Json(measure);
    TORCH_CHECK(low >= 0 && high >= 0 && (high == 0 || low <= high), "window: min_", what, " ", low,
                " and max_", what, " ", high, " leave no room: bounds are at least 0, 0 is none");
    if (low > 0 || high > 0) {
      bounds.push_back({find_cost_in(space, operation_cost(measure, w.table, space.name())),
                        static_cast<double>(low), static_cast<double>(high)});
    }
  };
  add(CostMeasure::MultiplyAdds, w.min_multiply_adds, w.max_multiply_adds);
  add(CostMeasure::Parameters, w.min_parameters, w.max_parameters);
  add(CostMeasure::Latency, w.min_latency, w.max_latency);
  if (bounds.empty()) {
    return nullptr;
  }
  return [bounds](const Architecture& architecture) {
    for (const Bounds& bound : bounds) {
      if (!bound.admit(architecture)) {
        return false;
      }
    }
    return true;
  };
}

}  // namespace retia::ir
