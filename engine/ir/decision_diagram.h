#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace retia::ir {

/// Yes-or-no functions of variables that take one of a few values each, as reduced ordered decision
/// diagrams that share their nodes (Bryant, IEEE Trans. Comp. 1986, with variables of many values).
/// Equal functions are equal numbers. Where the variables are independent, the probability of a
/// function is one pass over its nodes, exactly.
class DecisionDiagram {
 public:
  using Function = int32_t;
  static constexpr Function kNever = 0, kAlways = 1;

  /// n_values: of each variable, in the order in which diagrams ask for them.
  explicit DecisionDiagram(std::vector<int64_t> n_values);

  /// Whether `variable` has a value k with holds[k].
  Function is(size_t variable, const std::vector<bool>& holds);
  Function both(Function a, Function b) { return combined(Operator::And, a, b); }
  Function either(Function a, Function b) { return combined(Operator::Or, a, b); }

  using Values = std::vector<int64_t>;  ///< of each variable
  /// What `f` is for `values`.
  bool at(Function f, const Values& values) const;

  using Probabilities = std::vector<std::vector<double>>;  ///< of each variable's values
  struct Expectation {
    double value = 0;
    Probabilities gradient;  ///< with respect to each probability
  };
  /// sum_f weights[f] P(f), the variables being independent.
  Expectation expectation(const std::map<Function, double>& weights, const Probabilities& p) const;

  size_t n_nodes() const { return nodes_.size(); }

 private:
  enum class Operator { And, Or };
  struct Node {
    size_t variable;
    std::vector<Function> children;  // one per value; always made before the node
  };

  Function make(size_t variable, std::vector<Function> children);
  Function combined(Operator op, Function a, Function b);
  Function child(Function f, size_t variable, size_t value) const;

  std::vector<int64_t> n_values_;
  std::vector<Node> nodes_;
  std::map<std::pair<size_t, std::vector<Function>>, Function> known_;
  std::map<std::tuple<Operator, Function, Function>, Function> combinations_;
};

}  // namespace retia::ir
