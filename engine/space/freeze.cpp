#include "retia/engine/space/freeze.h"

#include <set>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/ir/verify.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/space/canonical.h"

namespace retia::ir {
namespace {

/// Freezes a graph and its nested graphs by a canonical architecture.
class Freezer {
 public:
  explicit Freezer(const Architecture& form) : form_(form) {}

  Graph freeze(const Graph& graph) {
    const std::set<NodeId> needed = reached(graph);
    Graph result(graph.name());
    std::map<NodeId, Wire> wires;
    for (const Node& node : graph.nodes()) {
      if (needed.count(node.id) != 0 || is_input(node)) {
        wires[node.id] = freeze(result, graph, node, wires);
      }
    }
    for (const Output& output : graph.outputs()) {
      result.add_output(output.name, wires.at(output.wire.node));
    }
    return result;
  }

 private:
  /// The nodes that lead to an output through what is chosen.
  std::set<NodeId> reached(const Graph& graph) const {
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

  std::vector<Wire> inputs_of(const Node& node) const {
    const auto* choice = std::get_if<InputChoice>(&node.body);
    if (choice == nullptr) {
      return node.inputs;
    }
    std::vector<Wire> chosen;
    for (const int64_t index : form_.at(choice->label).chosen) {
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
    return match(
        node.body, [&](const Input& input) { return result.add(node.name, input, {}); },
        [&](const Placeholder&) -> Wire {
          TORCH_INTERNAL_ASSERT(false, "a placeholder has no canonical form");
        },
        [&](const Operation& operation) { return add(result, node.name, operation, inputs); },
        [&](const Cell& cell) { return add(result, node.name, cell, inputs); },
        [&](const LayerChoice& choice) {
          const auto index = static_cast<size_t>(form_.at(choice.label).chosen.front());
          const Candidate& chosen = choice.candidates[index];
          return std::visit(
              [&](const auto& body) {
                return add(result, node.name + "/" + chosen.name, body, inputs);
              },
              chosen.body);
        },
        [&](const InputChoice& choice) {
          return inputs.empty() ? nothing(result, graph, node) : join(result, node, choice, inputs);
        });
  }

  Wire add(Graph& result, const std::string& name, const Cell& cell,
           const std::vector<Wire>& inputs) {
    return splice(result, freeze(cell.graph()), name, inputs);
  }

  Wire add(Graph& result, const std::string& name, const Operation& operation,
           const std::vector<Wire>& inputs) {
    return in_context("node '" + name + "'", [&] {
      return result.add(name, operation.at(operation.canonical(form_)), inputs);
    });
  }

  Wire join(Graph& result, const Node& node, const InputChoice& choice,
            const std::vector<Wire>& inputs) {
    const auto operation = joining(choice.reduction, inputs.size());
    return operation ? result.add(node.name, *operation, inputs) : inputs.front();
  }

  /// Adds the result of an input choice that chose nothing: zeros with the shape of its candidates.
  Wire nothing(Graph& result, const Graph& graph, const Node& node) {
    const Shape shape = at(infer(graph).at(node.inputs.front().node), form_);
    return result.add(node.name, ops::nothing_chosen({.shape = shape}),
                      {{result.inputs().front()->id}});
  }

  const Architecture& form_;
};

}  // namespace

std::optional<Operation> joining(Reduction reduction, size_t n) {
  if (n == 1) {
    return std::nullopt;
  }
  switch (reduction) {
    case Reduction::Sum:
      return ops::add();
    case Reduction::Mean:
      return ops::mean();
    default:
      return ops::concat();
  }
}

Graph selected(const Graph& space, const Architecture& form) {
  return verified("freeze", Freezer(form).freeze(space), Promise::Model);
}

Graph freeze(const Graph& space, const Architecture& architecture) {
  return selected(space, canonical(space, architecture));
}

Architecture canonical(const Graph& space, const Architecture& architecture) {
  return CanonicalForms(space).of(architecture);
}

Architecture completed(const Graph& space, const Architecture& architecture) {
  return completed(architecture, mutables(space));
}

}  // namespace retia::ir
