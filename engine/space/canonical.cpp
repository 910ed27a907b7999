#include "retia/engine/space/canonical.h"

#include <algorithm>
#include <map>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/ir/verify.h"

namespace retia::ir {

struct CanonicalForms::Plan {
  /// What of a body can reach labels.
  struct PlannedBody {
    std::optional<Operation> operation;  // whose parameters hold value choices
    std::shared_ptr<const Plan> cell;    // or a nested graph
  };

  /// One node; `inputs` are positions in the plan.
  struct Step {
    std::string name;
    std::vector<size_t> inputs = {};
    std::optional<size_t> decided_by = {};  // index of the mutable of a layer or input choice
    bool chooses_inputs = false;
    bool is_placeholder = false;
    std::vector<PlannedBody> bodies = {};  // of the candidates, or the one
    Shape shape_of_nothing = {};           // of an input choice that may choose none
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
    std::map<NodeId, Shape> shapes;  // empty until one is asked for
    for (const Node& node : graph.nodes()) {
      positions[node.id] = made->steps.size();
      made->steps.push_back(step(graph, node, shapes));
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
  Step step(const Graph& graph, const Node& node, std::map<NodeId, Shape>& shapes) const {
    Step made{.name = node.name};
    match(
        node.body, [](const Input&) {}, [&](const Placeholder&) { made.is_placeholder = true; },
        [&](const Operation& operation) { made.bodies.push_back(planned(operation)); },
        [&](const Cell& cell) { made.bodies.push_back(planned(cell)); },
        [&](const LayerChoice& choice) {
          made.decided_by = index_.at(choice.label);
          for (const Candidate& candidate : choice.candidates) {
            made.bodies.push_back(
                std::visit([&](const auto& body) { return planned(body); }, candidate.body));
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

  PlannedBody planned(const Cell& cell) const { return {std::nullopt, plan(cell.graph())}; }

  static PlannedBody planned(const Operation& operation) {
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

  void reach(const Plan& plan) {
    std::vector<char> needed(plan.steps.size());
    for (const size_t output : plan.outputs) {
      needed[output] = 1;
    }
    for (size_t i = plan.steps.size(); i-- > 0;) {
      if (needed[i] != 0) {
        need_inputs(plan.steps[i], needed);
      }
    }
    for (size_t i = 0; i < plan.steps.size() && !obstacle; ++i) {
      if (needed[i] != 0) {
        reach(plan.steps[i]);
      }
    }
  }

  Architecture reached;
  std::optional<std::string> obstacle;  ///< why there is no model; `reached` is then incomplete

 private:
  void need_inputs(const Step& step, std::vector<char>& needed) {
    if (!step.chooses_inputs) {
      for (const size_t input : step.inputs) {
        needed[input] = 1;
      }
      return;
    }
    for (const int64_t chosen : decide(*step.decided_by, step).chosen) {
      needed[step.inputs[static_cast<size_t>(chosen)]] = 1;
    }
  }

  void reach(const Step& step) {
    TORCH_CHECK(!step.is_placeholder, "node '", step.name,
                "' is a placeholder: apply graph mutators before freezing");
    if (step.chooses_inputs) {
      if (decide(*step.decided_by, step).chosen.empty()) {
        for (const Dim& dim : step.shape_of_nothing) {
          for (const std::string& label : dim.expression().reached(architecture_)) {
            consult(label, architecture_.at(label));
          }
        }
      }
    } else if (step.decided_by) {
      const Decision& decision = decide(*step.decided_by, step);
      reach(step.bodies[static_cast<size_t>(decision.chosen.front())], step);
    } else if (!step.bodies.empty()) {
      reach(step.bodies.front(), step);
    }
  }

  void reach(const PlannedBody& body, const Step& step) {
    if (body.operation) {
      in_context("node '" + step.name + "'", [&] { reach(*body.operation); });
      if (obstacle) {
        obstacle = "node '" + step.name + "': " + *obstacle;
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

  const Decision& decide(size_t i, const Step& step) {
    if (decisions_[i] == nullptr) {
      const std::string& label = mutables_[i].label;
      const auto find = [&]() -> const Decision& { return architecture_.at(label); };
      const Decision& decision =
          architecture_.contains(label) ? find() : in_context("node '" + step.name + "'", find);
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
    : mutables_(ir::mutables(space)), plan_(Planner(mutables_).plan(space)) {
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
  walk.reach(*plan_);
  if (walk.obstacle) {
    return std::move(*walk.obstacle);
  }
  if (verifies_rewrites()) {
    Walk again(walk.reached, mutables_);
    again.reach(*plan_);
    TORCH_CHECK(again.reached == walk.reached, "after canonical: ", walk.reached.to_string(),
                " has the canonical form ", again.reached.to_string());
  }
  return std::move(walk.reached);
}

}  // namespace retia::ir
