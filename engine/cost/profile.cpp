#include "retia/engine/cost/profile.h"

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"

namespace retia::ir {
namespace {

Cost& operator+=(Cost& sum, const Cost& more) {
  sum.multiply_adds = sum.multiply_adds + more.multiply_adds;
  sum.parameters = sum.parameters + more.parameters;
  return sum;
}

/// Sums `cost(operation, inputs)`.
template <class Sum, class CostOf>
Sum sum_over(const Graph& model, const CostOf& cost) {
  Sum sum{};
  each_primitive(model, [&](const PrimitiveUse& primitive) {
    sum += cost(primitive.operation, primitive.inputs);
  });
  return sum;
}

Cost cost_of(const Operation& operation, const std::vector<Shape>& inputs) {
  return operation.kind().cost(operation.parameters(), inputs);
}

}  // namespace

void each_primitive(const Graph& model, const std::function<void(const PrimitiveUse&)>& visit) {
  const Graph lowered = lower(model);
  const std::map<NodeId, Shape> shapes = infer(lowered);
  for (const Node& node : lowered.nodes()) {
    if (is_input(node)) {
      continue;
    }
    const auto* operation = std::get_if<Operation>(&node.body);
    TORCH_CHECK(operation != nullptr, "node '", node.name,
                "' is not decided: only a frozen graph has a cost");
    visit({node.name, *operation, input_shapes(node, shapes), shapes.at(node.id)});
  }
}

std::vector<NodeCost> profile(const Graph& model) {
  std::vector<NodeCost> costs;
  each_primitive(model, [&](const PrimitiveUse& primitive) {
    costs.push_back({primitive.name, primitive.operation.type(), primitive.output,
                     cost_of(primitive.operation, primitive.inputs)});
  });
  return costs;
}

Cost total_cost(const Graph& model) { return sum_over<Cost>(model, cost_of); }

double total_cost(const Graph& model, const OperationCost& cost) {
  return sum_over<double>(model, cost);
}

}  // namespace retia::ir
