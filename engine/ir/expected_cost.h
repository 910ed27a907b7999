#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/ir/decision_diagram.h"
#include "engine/ir/graph.h"

namespace retia::ir {

/// What one application of a primitive without choices costs, for one sample.
using OperationCost =
    std::function<double(const Operation& operation, const std::vector<Shape>& inputs)>;

/// Multiply-adds, and trained numbers (see Cost).
double multiply_adds_of(const Operation& operation, const std::vector<Shape>& inputs);
double parameters_of(const Operation& operation, const std::vector<Shape>& inputs);

/// The sum over all primitives of a frozen graph. Throws while a choice is left.
double cost_of(const Graph& model, const OperationCost& cost);

/// Every decision that a choice of n_chosen candidates can come to, in lexicographic order. Throws
/// above `Expression::kMostCombinations`.
std::vector<std::vector<int64_t>> decisions_of(const Mutable& choice);

/// Label -> how likely its decisions are. Of n_chosen candidates: `[decisions]`, one for each of
/// decisions_of, which for one chosen candidate are the candidates. Of any number: `[n
/// candidates]`, each candidate's of being chosen, by itself.
using DecisionProbabilities = std::map<std::string, at::Tensor>;

/// The cost of the models of a space whose decisions are drawn independently of one another: of
/// model a it is cost_of(freeze(space, a)), and expected
///   E[cost] = sum_i cost_i P(the model has primitive i),
/// over every primitive that a model may have: nodes that nothing chosen reaches cost nothing,
/// labels that several choices share decide once, sizes and costs follow value choices and the
/// choices around. P is exact whatever the structure (see DecisionDiagram); what is assumed is only
/// that labels are independent, as they are under alphas, and are not under a controller.
///
/// For spaces without placeholders. Throws, naming the operation, where more than
/// `Expression::kMostCombinations` joint decisions tell what it is and reads.
class ExpectedCost {
 public:
  /// Asks `cost` once for every primitive that any model may have at that place.
  ExpectedCost(const Graph& space, const OperationCost& cost);

  /// E[cost], a scalar of the probabilities' dtype and device, differentiable once in them. Those
  /// of a label must sum to 1, so that their gradient is determined up to a constant a label, which
  /// softmax takes out. Throws where a label is missing or its sizes differ.
  at::Tensor operator()(const DecisionProbabilities& probabilities) const;

  /// E[cost] where all decisions of a label are equally likely.
  double mean() const;

  /// Of one model. Labels that nothing reaches may be missing, as in a canonical architecture.
  double of(const Architecture& architecture) const;

 private:
  class Compiler;
  /// The variables of a label: one for its decision, or, of any number, one per candidate.
  struct Variables {
    Mutable choice;
    size_t first = 0;
    std::vector<std::vector<int64_t>> decisions;  // empty: any number
  };

  std::vector<Variables> labels_;
  DecisionDiagram diagram_;
  std::map<DecisionDiagram::Function, double> costs_;  // of what is there when the function holds
};

}  // namespace retia::ir
