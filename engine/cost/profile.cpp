#include "retia/engine/cost/profile.h"

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"

namespace retia::ir {

void each_primitive(const Graph& model, const std::function<void(const Primitive&)>& visit) {
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
  each_primitive(model, [&](const Primitive& primitive) {
    const Operation& operation = primitive.operation;
    costs.push_back({primitive.name, operation.type(), primitive.output,
                     operation.kind().cost(operation.parameters(), primitive.inputs)});
  });
  return costs;
}

Cost total_cost(const Graph& model) {
  Cost sum;
  for (const NodeCost& node : profile(model)) {
    sum.multiply_adds = sum.multiply_adds + node.cost.multiply_adds;
    sum.parameters = sum.parameters + node.cost.parameters;
  }
  return sum;
}

}  // namespace retia::ir
