#include "engine/ir/profile.h"

#include "engine/ir/infer.h"
#include "engine/ir/lower.h"

namespace retia::ir {

std::vector<NodeCost> profile(const Graph& model) {
  const Graph lowered = lower(model);
  const std::map<NodeId, Shape> shapes = infer(lowered);
  std::vector<NodeCost> costs;
  for (const Node& node : lowered.nodes()) {
    if (std::holds_alternative<Input>(node.body)) {
      continue;
    }
    const auto* operation = std::get_if<Operation>(&node.body);
    TORCH_CHECK(operation != nullptr, "node '", node.name,
                "' is not decided: only a frozen graph has a cost");
    costs.push_back({node.name, operation->type(), shapes.at(node.id),
                     operation->kind().cost(operation->parameters(), input_shapes(node, shapes))});
  }
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
