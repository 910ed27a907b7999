#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "retia/engine/cost/decision_diagram.h"
#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns the multiply-adds of an operation (see Cost).
double multiply_adds_of(const Operation& operation, const std::vector<Shape>& inputs);
/// Returns the number of trained parameters of an operation (see Cost).
double parameters_of(const Operation& operation, const std::vector<Shape>& inputs);

/// Returns every possible decision of a choice with a fixed n_chosen, in lexicographic order.
/// Throws above `Expression::kMostCombinations`.
std::vector<std::vector<int64_t>> decisions_of(const Mutable& choice);

/// Returns why decisions_of throws; none where it does not.
std::optional<std::string> too_many_decisions(const Mutable& choice);

/// Label → probabilities of its decisions. For a fixed n_chosen: `[decisions]`, in the order of
/// decisions_of; for one chosen candidate this is one probability per candidate. For any number of
/// chosen candidates: `[n candidates]`, the probability of each candidate to be chosen,
/// independently of the rest.
using DecisionProbabilities = std::map<std::string, at::Tensor>;

/// The cost of the models of a space when the decisions of its labels are drawn independently. For
/// one architecture a it is total_cost(freeze(space, a), cost); its expectation is
///
///   E[cost] = sum_i cost_i P(the model has primitive i),
///
/// over every primitive i that a model may have. Nodes that the chosen ones do not need cost
/// nothing, labels that several choices share decide once, and costs follow value choices and the
/// choices around them. P is exact whatever the structure (see DecisionDiagram). Independence of
/// labels holds under alphas; under a controller it does not.
///
/// For spaces whose possible primitives can be listed: without placeholders, without operations
/// that no model has under some decisions (as in NAS-Bench-101), and with at most
/// `Expression::kMostCombinations` joint decisions that determine an operation and its inputs.
class ExpectedCost {
 public:
  /// Calls `cost` once for every primitive that any model may have at each place. Throws, naming
  /// the node and the reason, where the primitives cannot be listed.
  ExpectedCost(const Graph& space, const OperationCost& cost);

  /// Makes one as the constructor does; none where the primitives cannot be listed.
  static std::optional<ExpectedCost> listed(const Graph& space, const OperationCost& cost);

  /// Returns E[cost], a scalar of the probabilities' dtype and device, differentiable once. The
  /// probabilities of a label must sum to 1, so their gradient is determined up to one constant per
  /// label, which the backward pass of softmax removes. Throws where a label is missing or has
  /// another number of probabilities.
  at::Tensor operator()(const DecisionProbabilities& probabilities) const;

  /// Returns E[cost] where all decisions of a label are equally likely.
  double mean() const;

  /// Returns the cost of one model. Labels that the model does not use may be missing, as in a
  /// canonical architecture.
  double of(const Architecture& architecture) const;

 private:
  class Compiler;
  ExpectedCost() : diagram_({}) {}
  /// Lists the primitives of `space`; returns why they cannot be listed, none where they are.
  std::optional<std::string> list(const Graph& space, const OperationCost& cost);
  /// The diagram variables of one label: one for its decision, or one per candidate where any
  /// number may be chosen.
  struct Variables {
    Mutable choice;
    size_t first = 0;
    std::vector<std::vector<int64_t>> decisions;  // empty: any number may be chosen
  };

  std::vector<Variables> labels_;
  DecisionDiagram diagram_;
  // Function → cost of the primitives present where the function is true.
  std::map<DecisionDiagram::Function, double> costs_;
};

}  // namespace retia::ir
