#include "engine/ir/lower.h"

#include "engine/ir/infer.h"

namespace retia::ir {
namespace {

Graph lower(const Graph& graph, const std::vector<Shape>& inputs);

std::vector<Wire> mapped(const std::vector<Wire>& wires, const std::map<NodeId, Wire>& map) {
  std::vector<Wire> result;
  for (const Wire wire : wires) {
    result.push_back(map.at(wire.node));
  }
  return result;
}

/// The primitives that `body` stands for; null when it is a primitive.
std::unique_ptr<const Graph> parts(const Body& body, const std::vector<Shape>& inputs) {
  if (const auto* cell = std::get_if<Cell>(&body)) {
    return std::make_unique<const Graph>(lower(cell->graph(), inputs));
  }
  const auto& operation = std::get<Operation>(body);
  const auto expanded = operation.kind().expand(operation.parameters(), inputs);
  return expanded ? std::make_unique<const Graph>(lower(*expanded, inputs)) : nullptr;
}

Graph lower(const Graph& graph, const std::vector<Shape>& inputs) {
  const std::map<NodeId, Shape> shapes = infer(graph, inputs);
  Graph result(graph.name());
  std::map<NodeId, Wire> wires;
  for (const Node& node : graph.nodes()) {
    const std::vector<Wire> read = mapped(node.inputs, wires);
    const std::vector<Shape> read_shapes = input_shapes(node, shapes);
    const auto add = [&](decltype(Node::body) body) { return result.add(node.name, body, read); };
    if (const auto* choice = std::get_if<LayerChoice>(&node.body)) {
      LayerChoice lowered{choice->label, {}};
      for (const Candidate& candidate : choice->candidates) {
        auto written = parts(candidate.body, read_shapes);
        lowered.candidates.push_back(
            {candidate.name, written ? Body(Cell(*written)) : candidate.body});
      }
      wires[node.id] = add(std::move(lowered));
    } else if (const auto* operation = std::get_if<Operation>(&node.body)) {
      const auto written = parts(*operation, read_shapes);
      wires[node.id] = written ? splice(result, *written, node.name, read) : add(node.body);
    } else if (const auto* cell = std::get_if<Cell>(&node.body)) {
      wires[node.id] = splice(result, *parts(*cell, read_shapes), node.name, read);
    } else {
      wires[node.id] = add(node.body);
    }
  }
  for (const Output& output : graph.outputs()) {
    result.add_output(output.name, wires.at(output.wire.node));
  }
  return result;
}

}  // namespace

Graph lower(const Graph& graph) {
  std::vector<Shape> inputs;
  for (const Node* input : graph.inputs()) {
    inputs.push_back(std::get<Input>(input->body).shape);
  }
  return lower(graph, inputs);
}

Wire splice(Graph& target, const Graph& part, const std::string& prefix,
            const std::vector<Wire>& inputs) {
  std::map<NodeId, Wire> wires;
  size_t next_input = 0;
  for (const Node& node : part.nodes()) {
    wires[node.id] =
        std::holds_alternative<Input>(node.body)
            ? inputs.at(next_input++)
            : target.add(prefix + "/" + node.name, node.body, mapped(node.inputs, wires));
  }
  TORCH_CHECK(part.outputs().size() == 1, "'", part.name(), "' needs one output, got ",
              part.outputs().size());
  return wires.at(part.outputs().front().wire.node);
}

}  // namespace retia::ir
