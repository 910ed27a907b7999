#include "retia/engine/cost/expected_cost.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <set>

#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/mutables/combinations.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/space/freeze.h"

namespace retia::ir {
namespace {

using Function = DecisionDiagram::Function;

constexpr Function kNever = DecisionDiagram::kNever;

/// The cost of an operation without choices, be it a primitive or a composite.
double total(const Operation& operation, const std::vector<Shape>& inputs,
             const OperationCost& cost) {
  const auto parts = operation.kind().expand(operation.parameters(), inputs);
  return parts ? total_cost(*parts, cost) : cost(operation, inputs);
}

}  // namespace

double multiply_adds_of(const Operation& operation, const std::vector<Shape>& inputs) {
  const Cost cost = operation.kind().cost(operation.parameters(), inputs);
  return static_cast<double>(cost.multiply_adds.value());
}

double parameters_of(const Operation& operation, const std::vector<Shape>& inputs) {
  const Cost cost = operation.kind().cost(operation.parameters(), inputs);
  return static_cast<double>(cost.parameters.value());
}

std::optional<std::string> too_many_decisions(const Mutable& choice) {
  if (!choice.n_chosen) {
    return c10::str("'", choice.label,
                    "' may choose any number of inputs: its decisions are not listed");
  }
  const int64_t k = *choice.n_chosen, n = choice.n_candidates();
  if (!n_sets(k, n, Expression::kMostCombinations)) {
    return c10::str("'", choice.label, "' chooses ", k, " of ", n, " candidates, in more than ",
                    Expression::kMostCombinations, " ways: they are not listed");
  }
  return std::nullopt;
}

std::vector<std::vector<int64_t>> decisions_of(const Mutable& choice) {
  const std::optional<std::string> reason = too_many_decisions(choice);
  TORCH_CHECK(!reason, reason.value_or(""));
  const int64_t k = *choice.n_chosen, n = choice.n_candidates();
  std::vector<std::vector<int64_t>> decisions;
  std::vector<int64_t> next = first_set(k);
  do {
    decisions.push_back(next);
  } while (next_set(next, n));
  return decisions;
}

/// Finds, for everything that may be in a model, when it is.
class ExpectedCost::Compiler {
 public:
  Compiler(ExpectedCost& made, const OperationCost& cost)
      : labels_(made.labels_), diagram_(made.diagram_), costs_(made.costs_), cost_(cost) {
    for (size_t i = 0; i < labels_.size(); ++i) {
      positions_[labels_[i].choice.label] = i;
    }
  }

  /// inputs: the shapes that `graph` reads; there: when it is part of the model. Stops at the first
  /// obstacle.
  void add(const Graph& graph, const std::vector<Shape>& inputs, Function there) {
    const std::map<NodeId, Shape> shapes = infer(graph, inputs);
    std::map<NodeId, Function> reached;  // kNever where there is no entry
    for (const Output& output : graph.outputs()) {
      reached[output.wire.node] = there;
    }
    for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
      const Function when = reached[node->id];
      const auto* choice = std::get_if<InputChoice>(&node->body);
      for (size_t i = 0; i < node->inputs.size(); ++i) {
        const Function reads = choice ? diagram_.both(when, chosen(choice->label, i)) : when;
        Function& input = reached[node->inputs[i].node];
        input = diagram_.either(input, reads);
      }
    }
    for (const Node& node : graph.nodes()) {
      in_context("node '" + node.name + "'",
                 [&] { add(node, input_shapes(node, shapes), inputs, reached[node.id]); });
      if (obstacle) {
        obstacle = "node '" + node.name + "': " + *obstacle;
        return;
      }
    }
  }

  std::optional<std::string> obstacle;  ///< why the primitives cannot be listed

 private:
  void add(const Node& node, const std::vector<Shape>& inputs,
           const std::vector<Shape>& graph_inputs, Function when) {
    match(
        node.body, [](const Input&) {},
        [&](const Placeholder&) {
          obstacle = "it is a placeholder: apply graph mutators before asking for costs";
        },
        [&](const Operation& operation) { add(operation, inputs, when); },
        [&](const Cell& cell) { add(cell, inputs, when); },
        [&](const LayerChoice& choice) {
          for (size_t k = 0; k < choice.candidates.size() && !obstacle; ++k) {
            const Function is_chosen = diagram_.both(when, chosen(choice.label, k));
            std::visit([&](const auto& body) { add(body, inputs, is_chosen); },
                       choice.candidates[k].body);
          }
        },
        [&](const InputChoice& choice) { add(choice, inputs, graph_inputs, when); });
  }

  void add(const Cell& cell, const std::vector<Shape>& inputs, Function when) {
    add(cell.graph(), inputs, when);
  }

  void add(const Operation& operation, const std::vector<Shape>& inputs, Function when) {
    int64_t left = Expression::kMostCombinations;
    add(operation, inputs, when, left);
  }

  /// Decides the choices that the operation and what it reads depend on, one after the other.
  void add(const Operation& operation, const std::vector<Shape>& inputs, Function when,
           int64_t& left) {
    if (when == kNever || obstacle) {
      return;
    }
    const std::optional<size_t> undecided = first_undecided(operation, inputs);
    if (!undecided) {
      if (left-- > 0) {
        obstacle = operation.kind().obstacle(operation.parameters(), {});
      } else {
        obstacle =
            c10::str("what '", operation.type(), "' is and reads depends on more than ",
                     Expression::kMostCombinations, " joint decisions: its cost is not expected");
      }
      if (!obstacle) {
        costs_[when] += total(operation, inputs, cost_);
      }
      return;
    }
    const std::string& label = labels_[*undecided].choice.label;
    for (int64_t k = 0; k < labels_[*undecided].choice.n_candidates(); ++k) {
      const Architecture decision = {{label, {{k}}}};
      std::vector<Shape> decided = inputs;
      for (Shape& shape : decided) {
        shape = at(std::move(shape), decision);
      }
      add(operation.at(decision), decided,
          diagram_.both(when, chosen(label, static_cast<size_t>(k))), left);
    }
  }

  /// The joins of an input choice, by the number of inputs that are chosen. Zeros, which stand for
  /// none, read the first input of the graph, as in a frozen one.
  void add(const InputChoice& choice, const std::vector<Shape>& inputs,
           const std::vector<Shape>& graph_inputs, Function when) {
    std::vector<Function> counts = {when};  // counts[n]: when n of the inputs so far are chosen
    if (choice.n_chosen) {
      counts.assign(static_cast<size_t>(*choice.n_chosen) + 1, kNever);
      counts.back() = when;
    } else {
      for (size_t i = 0; i < inputs.size(); ++i) {
        const Variables& variables = labels_[positions_.at(choice.label)];
        const Function out = diagram_.is(variables.first + i, {true, false});
        std::vector<Function> next(counts.size() + 1, kNever);
        for (size_t n = 0; n < counts.size(); ++n) {
          next[n] = diagram_.either(next[n], diagram_.both(counts[n], out));
          next[n + 1] = diagram_.both(counts[n], chosen(choice.label, i));
        }
        counts = std::move(next);
      }
    }
    for (size_t n = 0; n < counts.size(); ++n) {
      if (n == 0) {
        add(ops::nothing_chosen({.shape = inputs.front()}), {graph_inputs.front()}, counts[n]);
      } else if (const auto operation = joining(choice.reduction, n)) {
        add(*operation, std::vector(n, inputs.front()), counts[n]);
      }
    }
  }

  /// Returns the function that is true when candidate `k` of `label` is chosen.
  Function chosen(const std::string& label, size_t k) {
    const Variables& variables = labels_[positions_.at(label)];
    if (!variables.choice.n_chosen) {
      return diagram_.is(variables.first + k, {false, true});
    }
    std::vector<bool> holds;
    for (const std::vector<int64_t>& decision : variables.decisions) {
      holds.push_back(
          std::binary_search(decision.begin(), decision.end(), static_cast<int64_t>(k)));
    }
    return diagram_.is(variables.first, holds);
  }

  std::optional<size_t> first_undecided(const Operation& operation,
                                        const std::vector<Shape>& inputs) const {
    std::optional<size_t> first;
    const auto visit = [&](const std::string& label, const std::vector<std::string>&) {
      const size_t position = positions_.at(label);
      first = std::min(first.value_or(position), position);
    };
    operation.visit_choices(visit);
    for (const Shape& shape : inputs) {
      for (const Dim& dim : shape) {
        dim.expression().visit_choices(visit);
      }
    }
    return first;
  }

  const std::vector<Variables>& labels_;
  DecisionDiagram& diagram_;
  std::map<Function, double>& costs_;
  const OperationCost& cost_;
  std::map<std::string, size_t> positions_;  // in labels_
};

ExpectedCost::ExpectedCost(const Graph& space, const OperationCost& cost) : diagram_({}) {
  const std::optional<std::string> reason = list(space, cost);
  TORCH_CHECK(!reason, reason.value_or(""));
}

std::optional<ExpectedCost> ExpectedCost::listed(const Graph& space, const OperationCost& cost) {
  ExpectedCost made;
  return made.list(space, cost) ? std::nullopt : std::optional(std::move(made));
}

std::optional<std::string> ExpectedCost::list(const Graph& space, const OperationCost& cost) {
  std::vector<int64_t> n_values;
  for (Mutable& choice : mutables(space)) {
    Variables variables{std::move(choice), n_values.size(), {}};
    if (variables.choice.n_chosen) {
      if (std::optional<std::string> reason = too_many_decisions(variables.choice)) {
        return reason;
      }
      variables.decisions = decisions_of(variables.choice);
      n_values.push_back(static_cast<int64_t>(variables.decisions.size()));
    } else {
      n_values.resize(n_values.size() + variables.choice.names.size(), 2);
    }
    labels_.push_back(std::move(variables));
  }
  diagram_ = DecisionDiagram(std::move(n_values));
  Compiler compiler(*this, cost);
  compiler.add(space, space.input_shapes(), DecisionDiagram::kAlways);
  return std::move(compiler.obstacle);
}

at::Tensor ExpectedCost::operator()(const DecisionProbabilities& probabilities) const {
  std::vector<at::Tensor> given;
  for (const Variables& label : labels_) {
    const auto found = probabilities.find(label.choice.label);
    TORCH_CHECK(found != probabilities.end(), "no probabilities are given for '",
                label.choice.label, "'");
    const auto n = static_cast<int64_t>(label.choice.n_chosen ? label.decisions.size()
                                                              : label.choice.names.size());
    TORCH_CHECK(found->second.dim() == 1 && found->second.size(0) == n, "probabilities of '",
                label.choice.label, "': expected [", n, "], got ", found->second.sizes());
    given.push_back(found->second);
  }
  if (given.empty()) {
    return at::tensor(mean(), at::kDouble);
  }
  const at::Tensor all = at::cat(given);
  const at::Tensor host = all.detach().to(at::kCPU, at::kDouble).contiguous();
  const double* next = host.data_ptr<double>();
  DecisionDiagram::Probabilities p;
  for (const Variables& label : labels_) {
    if (label.choice.n_chosen) {
      p.emplace_back(next, next + label.decisions.size());
      next += label.decisions.size();
    } else {
      for (size_t i = 0; i < label.choice.names.size(); ++i, ++next) {
        p.push_back({1 - *next, *next});
      }
    }
  }
  const DecisionDiagram::Expectation expected = diagram_.expectation(costs_, p);
  std::vector<double> gradient;
  for (const Variables& label : labels_) {
    if (label.choice.n_chosen) {
      const std::vector<double>& of_decisions = expected.gradient[label.first];
      gradient.insert(gradient.end(), of_decisions.begin(), of_decisions.end());
    } else {
      for (size_t i = 0; i < label.choice.names.size(); ++i) {
        const std::vector<double>& of_coin = expected.gradient[label.first + i];
        gradient.push_back(of_coin[1] - of_coin[0]);
      }
    }
  }
  const at::Tensor slope = at::tensor(gradient, at::kDouble).to(all.options().requires_grad(false));
  return expected.value + at::dot(slope, all - all.detach());
}

double ExpectedCost::mean() const {
  DecisionDiagram::Probabilities p;
  for (const Variables& label : labels_) {
    if (label.choice.n_chosen) {
      const size_t n = label.decisions.size();
      p.emplace_back(n, 1.0 / static_cast<double>(n));
    } else {
      p.resize(p.size() + label.choice.names.size(), {0.5, 0.5});
    }
  }
  return diagram_.expectation(costs_, p).value;
}

double ExpectedCost::of(const Architecture& architecture) const {
  DecisionDiagram::Values values;
  for (const auto& [choice, first, decisions] : labels_) {
    values.resize(first + (choice.n_chosen ? 1 : choice.names.size()), 0);
    if (!architecture.contains(choice.label)) {
      continue;
    }
    const Decision& decision = architecture.at(choice.label);
    check_decision(decision, choice, Purpose::Final);
    if (choice.n_chosen) {
      values[first] =
          std::lower_bound(decisions.begin(), decisions.end(), decision.chosen) - decisions.begin();
      continue;
    }
    for (const int64_t i : decision.chosen) {
      values[first + static_cast<size_t>(i)] = 1;
    }
  }
  double sum = 0;
  for (const auto& [function, cost] : costs_) {
    sum += diagram_.at(function, values) ? cost : 0;
  }
  return sum;
}

}  // namespace retia::ir
