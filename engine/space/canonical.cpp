#include "retia/engine/space/canonical.h"

#include <algorithm>
#include <map>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/ir/verify.h"

namespace retia::ir {

/// A graph with what its nodes decide and read, without shapes and parameters.
struct CanonicalForms::Outline {
  /// The part of a body that can reach labels.
  struct OutlinedBody {
    std::optional<Operation> operation;   // whose parameters hold value choices
    std::shared_ptr<const Outline> cell;  // or a nested graph
  };

  /// One node; `inputs` are positions in the outline.
  struct OutlinedNode {
    std::string name;
    std::vector<size_t> inputs = {};
    std::optional<size_t> decided_by = {};  // index of the mutable of a layer or input choice
    bool chooses_inputs = false;
    bool is_placeholder = false;
    std::vector<OutlinedBody> bodies = {};  // of the candidates, or the one
    Shape shape_of_nothing = {};            // of an input choice that may choose none
  };

  std::vector<OutlinedNode> nodes;  // in topological order
  std::vector<size_t> outputs;
};

namespace {

using Outline = CanonicalForms::Outline;
using OutlinedNode = Outline::OutlinedNode;
using OutlinedBody = Outline::OutlinedBody;

class OutlineMaker {
 public:
  explicit OutlineMaker(const std::vector<Mutable>& mutables) {
    for (size_t i = 0; i < mutables.size(); ++i) {
      index_[mutables[i].label] = i;
    }
  }

  std::shared_ptr<const Outline> outline(const Graph& graph) const {
    auto made = std::make_shared<Outline>();
    std::map<NodeId, size_t> positions;
    std::map<NodeId, Shape> shapes;  // empty until one is asked for
    for (const Node& node : graph.nodes()) {
      positions[node.id] = made->nodes.size();
      made->nodes.push_back(outlined(graph, node, shapes));
      for (const Wire wire : node.inputs) {
        made->nodes.back().inputs.push_back(positions.at(wire.node));
      }
    }
    for (const Output& output : graph.outputs()) {
      made->outputs.push_back(positions.at(output.wire.node));
    }
    return made;
  }

 private:
  OutlinedNode outlined(const Graph& graph, const Node& node,
                        std::map<NodeId, Shape>& shapes) const {
    OutlinedNode made{.name = node.name};
    match(
        node.body, [](const Input&) {}, [&](const Placeholder&) { made.is_placeholder = true; },
        [&](const Operation& operation) { made.bodies.push_back(outlined(operation)); },
        [&](const Cell& cell) { made.bodies.push_back(outlined(cell)); },
        [&](const LayerChoice& choice) {
          made.decided_by = index_.at(choice.label);
          for (const Candidate& candidate : choice.candidates) {
            made.bodies.push_back(
                std::visit([&](const auto& body) { return outlined(body); }, candidate.body));
          }
        },
        [&](const InputChoice& choice) {
          made.decided_by = index_.at(choice.label);
          made.chooses_inputs = true;
          if (choice.n_chosen.value_or(0) == 0) {
            shapes = shapes.empty() ? infer(graph) : std::move(shapes);
            made.shape_of_nothing = shapes.at(node.inputs.front().node);
          }
        });
    return made;
  }

  OutlinedBody outlined(const Cell& cell) const { return {std::nullopt, outline(cell.graph())}; }

  static OutlinedBody outlined(const Operation& operation) {
    bool has_choices = false;
    operation.visit_choices([&](const auto&, const auto&) { has_choices = true; });
    return {has_choices ? std::optional(operation) : std::nullopt, nullptr};
  }

  std::map<std::string, size_t> index_;
};

class Walk {
 public:
  Walk(const Architecture& architecture, const std::vector<Mutable>& mutables)
      : architecture_(architecture), mutables_(mutables), decisions_(mutables.size()) {}

  void reach(const Outline& outline) {
    std::vector<char> needed(outline.nodes.size());
    for (const size_t output : outline.outputs) {
      needed[output] = 1;
    }
    for (size_t i = outline.nodes.size(); i-- > 0;) {
      if (needed[i] != 0) {
        need_inputs(outline.nodes[i], needed);
      }
    }
    for (size_t i = 0; i < outline.nodes.size() && !obstacle; ++i) {
      if (needed[i] != 0) {
        reach(outline.nodes[i]);
      }
    }
  }

  Architecture reached;
  std::optional<std::string> obstacle;  ///< why there is no model; `reached` is then incomplete

 private:
  void need_inputs(const OutlinedNode& node, std::vector<char>& needed) {
    if (!node.chooses_inputs) {
      for (const size_t input : node.inputs) {
        needed[input] = 1;
      }
      return;
    }
    for (const int64_t chosen : decide(*node.decided_by, node).chosen) {
      needed[node.inputs[static_cast<size_t>(chosen)]] = 1;
    }
  }

  void reach(const OutlinedNode& node) {
    TORCH_CHECK(!node.is_placeholder, "node '", node.name,
                "' is a placeholder: apply graph mutators before freezing");
    if (node.chooses_inputs) {
      if (decide(*node.decided_by, node).chosen.empty()) {
        for (const Dim& dim : node.shape_of_nothing) {
          for (const std::string& label : dim.expression().reached(architecture_)) {
            consult(label, architecture_.at(label));
          }
        }
      }
    } else if (node.decided_by) {
      const Decision& decision = decide(*node.decided_by, node);
      reach(node.bodies[static_cast<size_t>(decision.chosen.front())], node);
    } else if (!node.bodies.empty()) {
      reach(node.bodies.front(), node);
    }
  }

  void reach(const OutlinedBody& body, const OutlinedNode& node) {
    if (body.operation) {
      in_context("node '" + node.name + "'", [&] { reach(*body.operation); });
      if (obstacle) {
        obstacle = "node '" + node.name + "': " + *obstacle;
      }
    } else if (body.cell) {
      reach(*body.cell);
    }
  }

  void reach(const Operation& operation) {
    obstacle = operation.kind().obstacle(operation.parameters(), architecture_);
    if (!obstacle) {
      for (const auto& [label, decision] : operation.canonical(architecture_)) {
        consult(label, decision);
      }
    }
  }

  const Decision& decide(size_t i, const OutlinedNode& node) {
    if (decisions_[i] == nullptr) {
      const std::string& label = mutables_[i].label;
      const auto find = [&]() -> const Decision& { return architecture_.at(label); };
      const Decision& decision =
          architecture_.contains(label) ? find() : in_context("node '" + node.name + "'", find);
      check_decision(decision, mutables_[i], Purpose::Final);
      consult(label, decision);
      decisions_[i] = &decision;
    }
    return *decisions_[i];
  }

  void consult(const std::string& label, const Decision& decision) {
    Decision& noted = reached[label];
    TORCH_CHECK(noted.chosen.empty() || noted == decision, "'", label,
                "' decides two things whose canonical forms differ: give one another label");
    noted = decision;
  }

  const Architecture& architecture_;
  const std::vector<Mutable>& mutables_;
  std::vector<const Decision*> decisions_;  // those asked for
};

}  // namespace

CanonicalForms::CanonicalForms(const Graph& space)
    : mutables_(ir::mutables(space)), outline_(OutlineMaker(mutables_).outline(space)) {
  for (const Mutable& choice : mutables_) {
    labels_.insert(choice.label);
  }
}

Architecture CanonicalForms::of(const Architecture& architecture) const {
  return match(
      form_or_obstacle(architecture), [](Architecture&& form) { return std::move(form); },
      [](std::string&& obstacle) -> Architecture { TORCH_CHECK(false, obstacle); });
}

std::optional<Architecture> CanonicalForms::find(const Architecture& architecture) const {
  return match(
      form_or_obstacle(architecture),
      [](Architecture&& form) { return std::optional(std::move(form)); },
      [](std::string&&) { return std::optional<Architecture>(); });
}

std::variant<Architecture, std::string> CanonicalForms::form_or_obstacle(
    const Architecture& architecture) const {
  const bool all_known = std::all_of(architecture.begin(), architecture.end(),
                                     [&](const auto& d) { return labels_.count(d.first) != 0; });
  if (!all_known) {
    check_labels(architecture, mutables_);
  }
  Walk walk(architecture, mutables_);
  walk.reach(*outline_);
  if (walk.obstacle) {
    return std::move(*walk.obstacle);
  }
  if (verifies_rewrites()) {
    Walk again(walk.reached, mutables_);
    again.reach(*outline_);
    TORCH_CHECK(again.reached == walk.reached, "after canonical: ", walk.reached.to_string(),
                " has the canonical form ", again.reached.to_string());
  }
  return std::move(walk.reached);
}

}  // namespace retia::ir
