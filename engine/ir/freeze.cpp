#include "retia/engine/ir/freeze.h"

#include <set>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"
#include "retia/engine/operations/join.h"

namespace retia::ir {
namespace {

/// Freezes a graph and its nested graphs, and records which labels were used.
class Freezer {
 public:
  explicit Freezer(const Architecture& architecture) : architecture_(architecture) {}

  Graph freeze(const Graph& graph) {
    const std::set<NodeId> needed = reached(graph);
    Graph result(graph.name());
    std::map<NodeId, Wire> wires;
    for (const Node& node : graph.nodes()) {
      if (needed.count(node.id) != 0 || std::holds_alternative<Input>(node.body)) {
        wires[node.id] = freeze(result, graph, node, wires);
      }
    }
    for (const Output& output : graph.outputs()) {
      result.add_output(output.name, wires.at(output.wire.node));
    }
    return result;
  }

  Architecture consulted;

 private:
  /// The nodes that lead to an output through what is chosen.
  std::set<NodeId> reached(const Graph& graph) {
    std::set<NodeId> needed;
    for (const Output& output : graph.outputs()) {
      needed.insert(output.wire.node);
    }
    for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
      if (needed.count(node->id) == 0) {
        continue;
      }
      for (const Wire wire : inputs_of(*node)) {
        needed.insert(wire.node);
      }
    }
    return needed;
  }

  std::vector<Wire> inputs_of(const Node& node) {
    const auto* choice = std::get_if<InputChoice>(&node.body);
    if (choice == nullptr) {
      return node.inputs;
    }
    std::vector<Wire> chosen;
    for (const int64_t index : decide(*choice, node)) {
      chosen.push_back(node.inputs[static_cast<size_t>(index)]);
    }
    return chosen;
  }

  Wire freeze(Graph& result, const Graph& graph, const Node& node,
              const std::map<NodeId, Wire>& wires) {
    std::vector<Wire> inputs;
    for (const Wire wire : inputs_of(node)) {
      inputs.push_back(wires.at(wire.node));
    }
    if (const auto* choice = std::get_if<LayerChoice>(&node.body)) {
      const Candidate& chosen = choice->candidates[static_cast<size_t>(decide(*choice, node))];
      return add(result, node.name + "/" + chosen.name, chosen.body, inputs);
    }
    if (const auto* choice = std::get_if<InputChoice>(&node.body)) {
      return inputs.empty() ? nothing(result, graph, node) : join(result, node, *choice, inputs);
    }
    if (const auto* operation = std::get_if<Operation>(&node.body)) {
      return add(result, node.name, *operation, inputs);
    }
    if (const auto* cell = std::get_if<Cell>(&node.body)) {
      return add(result, node.name, *cell, inputs);
    }
    TORCH_CHECK(!std::holds_alternative<Placeholder>(node.body), "node '", node.name,
                "' is a placeholder: apply graph mutators before freezing");
    return result.add(node.name, node.body, inputs);
  }

  Wire add(Graph& result, const std::string& name, const Body& body,
           const std::vector<Wire>& inputs) {
    if (const auto* cell = std::get_if<Cell>(&body)) {
      return splice(result, freeze(cell->graph()), name, inputs);
    }
    const auto& operation = std::get<Operation>(body);
    return in_context("node '" + name + "'", [&] {
      const Architecture form = operation.canonical(architecture_);
      for (const auto& [label, decision] : form) {
        consult(label, decision);
      }
      return result.add(name, operation.at(form), inputs);
    });
  }

  Wire join(Graph& result, const Node& node, const InputChoice& choice,
            const std::vector<Wire>& inputs) {
    if (inputs.size() == 1) {
      return inputs.front();
    }
    switch (choice.reduction) {
      case Reduction::Sum:
        return result.add(node.name, ops::add(), inputs);
      case Reduction::Mean:
        return result.add(node.name, ops::mean(), inputs);
      default:
        return result.add(node.name, ops::concat(), inputs);
    }
  }

  /// Adds the result of an input choice that chose nothing: zeros with the shape of its candidates.
  Wire nothing(Graph& result, const Graph& graph, const Node& node) {
    Shape shape = infer(graph).at(node.inputs.front().node);
    for (Dim& dim : shape) {
      for (const std::string& label : dim.expression().reached(architecture_)) {
        consult(label, architecture_.at(label));
      }
      dim = dim.at(architecture_);
    }
    return result.add(node.name, ops::zeros({.shape = shape}), {{result.inputs().front()->id}});
  }

  const Decision& consult(const std::string& label, const Decision& decision) {
    Decision& noted = consulted[label];
    TORCH_CHECK(noted.chosen.empty() || noted == decision, "'", label,
                "' decides two things whose canonical forms differ: give one another label");
    return noted = decision;
  }

  template <class Choice>
  const std::vector<int64_t>& decided(const Choice& choice, const Node& node,
                                      const Mutable& expected) {
    const Decision& decision = in_context("node '" + node.name + "'", [&]() -> const Decision& {
      return architecture_.at(choice.label);
    });
    check_decision(decision, expected, Purpose::Final);
    return consult(choice.label, decision).chosen;
  }

  const std::vector<int64_t>& decide(const InputChoice& choice, const Node& node) {
    return decided(choice, node,
                   {.label = choice.label,
                    .kind = choice.kind,
                    .names = choice.names,
                    .n_chosen = choice.n_chosen});
  }

  int64_t decide(const LayerChoice& choice, const Node& node) {
    std::vector<std::string> names;
    for (const Candidate& candidate : choice.candidates) {
      names.push_back(candidate.name);
    }
    return decided(choice, node, {.label = choice.label, .names = names}).front();
  }

  const Architecture& architecture_;
};

}  // namespace

Graph freeze(const Graph& space, const Architecture& architecture) {
  check_labels(architecture, mutables(space));
  return Freezer(architecture).freeze(space);
}

Architecture canonical(const Graph& space, const Architecture& architecture) {
  check_labels(architecture, mutables(space));
  Freezer freezer(architecture);
  freezer.freeze(space);
  return freezer.consulted;
}

Architecture completed(const Graph& space, const Architecture& architecture) {
  return completed(architecture, mutables(space));
}

}  // namespace retia::ir
