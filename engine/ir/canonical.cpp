#include "retia/engine/ir/canonical.h"

#include <algorithm>
#include <map>

#include "retia/engine/ir/infer.h"

namespace retia::ir {

static_assert(std::variant_size_v<decltype(Node::body)> == 6,
              "a new kind of node: say here which labels it reaches");

struct CanonicalForms::Plan {
  /// What of a body can reach labels.
  struct PlannedBody {
    std::optional<Operation> operation;  // whose parameters hold value choices
    std::shared_ptr<const Plan> cell;    // or a nested graph
  };

  /// One node; `inputs` are positions in the plan.
  struct Step {
    std::vector<size_t> inputs;
    std::optional<size_t> decided_by;  // index of the mutable of a layer or input choice
    bool chooses_inputs = false;
    std::vector<PlannedBody> bodies;  // of the candidates, or the one
    Shape shape_of_nothing;           // of an input choice that may choose none
    std::string placeholder;          // the name of one
  };

  std::vector<Step> steps;  // in topological order
  std::vector<size_t> outputs;
};

namespace {

using Plan = CanonicalForms::Plan;
using Step = Plan::Step;
using PlannedBody = Plan::PlannedBody;

class Planner {
 public:
  explicit Planner(const std::vector<Mutable>& mutables) {
    for (size_t i = 0; i < mutables.size(); ++i) {
      index_[mutables[i].label] = i;
    }
  }

  std::shared_ptr<const Plan> plan(const Graph& graph) const {
    auto made = std::make_shared<Plan>();
    std::map<NodeId, size_t> positions;
    for (const Node& node : graph.nodes()) {
      positions[node.id] = made->steps.size();
      made->steps.push_back(step(graph, node));
      for (const Wire wire : node.inputs) {
        made->steps.back().inputs.push_back(positions.at(wire.node));
      }
    }
    for (const Output& output : graph.outputs()) {
      made->outputs.push_back(positions.at(output.wire.node));
    }
    return made;
  }

 private:
  Step step(const Graph& graph, const Node& node) const {
    Step made;
    if (const auto* layers = std::get_if<LayerChoice>(&node.body)) {
      made.decided_by = index_.at(layers->label);
      for (const Candidate& candidate : layers->candidates) {
        made.bodies.push_back(body(candidate.body));
      }
    } else if (const auto* inputs = std::get_if<InputChoice>(&node.body)) {
      made.decided_by = index_.at(inputs->label);
      made.chooses_inputs = true;
      if (inputs->n_chosen.value_or(0) == 0) {
        made.shape_of_nothing = shape_of_input(graph, node);
      }
    } else if (const auto* operation = std::get_if<Operation>(&node.body)) {
      made.bodies.push_back(body(*operation));
    } else if (const auto* cell = std::get_if<Cell>(&node.body)) {
      made.bodies.push_back(body(*cell));
    } else if (std::holds_alternative<Placeholder>(node.body)) {
      made.placeholder = node.name;
    }
    return made;
  }

  PlannedBody body(const Body& body) const {
    if (const auto* cell = std::get_if<Cell>(&body)) {
      return {std::nullopt, plan(cell->graph())};
    }
    const auto& operation = std::get<Operation>(body);
    bool has_choices = false;
    operation.visit_choices([&](const auto&, const auto&) { has_choices = true; });
    return {has_choices ? std::optional(operation) : std::nullopt, nullptr};
  }

  static Shape shape_of_input(const Graph& graph, const Node& node) {
    try {
      return infer(graph).at(node.inputs.front().node);
    } catch (const c10::Error&) {
      return {};  // makes no model with that choice, whatever its form
    }
  }

  std::map<std::string, size_t> index_;
};

class Walk {
 public:
  Walk(const Architecture& architecture, const std::vector<Mutable>& mutables)
      : architecture_(architecture), mutables_(mutables), decisions_(mutables.size()) {}

  void reach(const Plan& plan) {
    std::vector<char> needed(plan.steps.size());
    for (const size_t output : plan.outputs) {
      needed[output] = 1;
    }
    for (size_t i = plan.steps.size(); i-- > 0;) {
      if (needed[i] != 0) {
        reach(plan.steps[i], needed);
      }
    }
  }

  Architecture reached;

 private:
  void reach(const Step& step, std::vector<char>& needed) {
    TORCH_CHECK(step.placeholder.empty(), "node '", step.placeholder,
                "' is a placeholder: apply graph mutators before freezing");
    if (step.chooses_inputs) {
      const Decision& decision = decide(*step.decided_by);
      for (const int64_t chosen : decision.chosen) {
        needed[step.inputs[static_cast<size_t>(chosen)]] = 1;
      }
      if (decision.chosen.empty()) {
        for (const Dim& dim : step.shape_of_nothing) {
          for (const std::string& label : dim.expression().reached(architecture_)) {
            consult(label, architecture_.at(label));
          }
        }
      }
      return;
    }
    for (const size_t input : step.inputs) {
      needed[input] = 1;
    }
    if (step.decided_by) {
      reach(step.bodies[static_cast<size_t>(decide(*step.decided_by).chosen.front())]);
    } else if (!step.bodies.empty()) {
      reach(step.bodies.front());
    }
  }

  void reach(const PlannedBody& body) {
    if (body.operation) {
      for (const auto& [label, decision] : body.operation->canonical(architecture_)) {
        consult(label, decision);
      }
    } else if (body.cell) {
      reach(*body.cell);
    }
  }

  const Decision& decide(size_t i) {
    if (decisions_[i] == nullptr) {
      const Decision& decision = architecture_.at(mutables_[i].label);
      check_decision(decision, mutables_[i], Purpose::Final);
      consult(mutables_[i].label, decision);
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
    : mutables_(ir::mutables(space)), plan_(Planner(mutables_).plan(space)) {
  for (const Mutable& choice : mutables_) {
    labels_.insert(choice.label);
  }
}

Architecture CanonicalForms::of(const Architecture& architecture) const {
  const bool all_known = std::all_of(architecture.begin(), architecture.end(),
                                     [&](const auto& d) { return labels_.count(d.first) != 0; });
  if (!all_known) {
    check_labels(architecture, mutables_);
  }
  Walk walk(architecture, mutables_);
  walk.reach(*plan_);
  return std::move(walk.reached);
}

}  // namespace retia::ir
