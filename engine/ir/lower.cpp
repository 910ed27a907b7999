#include "retia/engine/ir/lower.h"

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/ir/verify.h"

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

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) {
    names.push_back(node.name);
  }
  return names;
}

/// Throws where one option of a choice has `operation` written in other parts than `expanded`: what
/// is frozen would not be what the supernet has trained.
void check_parts(const Operation& operation, const std::vector<Shape>& inputs,
                 const Graph& expanded) {
  std::map<std::string, std::vector<std::string>> choices;
  const auto note = [&choices](const std::string& label, const std::vector<std::string>& names) {
    choices[label] = names;
  };
  operation.visit_choices(note);
  for (const Shape& shape : inputs) {
    for (const Dim& dim : shape) {
      dim.expression().visit_choices(note);
    }
  }
  for (const auto& [label, names] : choices) {
    for (size_t k = 0; k < names.size(); ++k) {
      const Architecture option = {{label, {{static_cast<int64_t>(k)}}}};
      std::vector<Shape> read = inputs;
      for (Shape& shape : read) {
        shape = at(std::move(shape), option);
      }
      const auto of_option = operation.kind().expand(operation.at(option).parameters(), read);
      TORCH_CHECK(names_of(*of_option) == names_of(expanded), "'", operation.type(),
                  "' has other parts where '", label, "' is ", names[k],
                  ", which cannot share weights with the other options: leave it out, or explore "
                  "by trials (retia explore)");
    }
  }
}

/// Returns the primitives that the body of a node or a candidate stands for; null when it is a
/// primitive.
std::unique_ptr<const Graph> parts(const Cell& cell, const std::vector<Shape>& inputs) {
  return std::make_unique<const Graph>(lower(cell.graph(), inputs));
}
std::unique_ptr<const Graph> parts(const Operation& operation, const std::vector<Shape>& inputs) {
  const auto expanded = operation.kind().expand(operation.parameters(), inputs);
  if (!expanded) {
    return nullptr;
  }
  check_parts(operation, inputs, *expanded);
  return std::make_unique<const Graph>(lower(*expanded, inputs));
}

LayerChoice lowered(const LayerChoice& choice, const std::vector<Shape>& inputs) {
  LayerChoice result{choice.label, {}};
  for (const Candidate& candidate : choice.candidates) {
    auto written =
        std::visit([&](const auto& body) { return parts(body, inputs); }, candidate.body);
    result.candidates.push_back({candidate.name, written ? Body(Cell(*written)) : candidate.body});
  }
  return result;
}

Graph lower(const Graph& graph, const std::vector<Shape>& inputs) {
  const std::map<NodeId, Shape> shapes = infer(graph, inputs);
  Graph result(graph.name());
  std::map<NodeId, Wire> wires;
  for (const Node& node : graph.nodes()) {
    const std::vector<Wire> read = mapped(node.inputs, wires);
    const std::vector<Shape> read_shapes = input_shapes(node, shapes);
    const auto add = [&](const auto& body) { return result.add(node.name, body, read); };
    const auto add_parts = [&](const auto& body) {
      const auto written = parts(body, read_shapes);
      return written ? splice(result, *written, node.name, read) : add(body);
    };
    wires[node.id] = match(
        node.body, [&](const Input& input) { return add(input); },
        [&](const Placeholder& placeholder) { return add(placeholder); },
        [&](const Operation& operation) { return add_parts(operation); },
        [&](const Cell& cell) { return add_parts(cell); },
        [&](const LayerChoice& choice) { return add(lowered(choice, read_shapes)); },
        [&](const InputChoice& choice) { return add(choice); });
  }
  for (const Output& output : graph.outputs()) {
    result.add_output(output.name, wires.at(output.wire.node));
  }
  return result;
}

}  // namespace

Graph lower(const Graph& graph) {
  return verified("lower", lower(graph, graph.input_shapes()), Promise::Primitives);
}

Wire splice(Graph& target, const Graph& part, const std::string& prefix,
            const std::vector<Wire>& inputs) {
  std::map<NodeId, Wire> wires;
  size_t next_input = 0;
  for (const Node& node : part.nodes()) {
    wires[node.id] = is_input(node) ? inputs.at(next_input++)
                                    : target.add(prefix + "/" + node.name, node.body,
                                                 mapped(node.inputs, wires));
  }
  TORCH_CHECK(part.outputs().size() == 1, "'", part.name(), "' needs one output, got ",
              part.outputs().size());
  return wires.at(part.outputs().front().wire.node);
}

}  // namespace retia::ir
