#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace retia::ir {

/// Boolean functions of independent variables with a few values each, as reduced ordered decision
/// diagrams that share their nodes (Bryant, IEEE Trans. Comp. 1986, extended to many-valued
/// variables). Equal functions have equal numbers. The probability of a function is computed
/// exactly, in one pass over its nodes.
class DecisionDiagram {
 public:
  /// A function, identified by the index of its root node.
  using Function = int32_t;
  static constexpr Function kNever = 0;   ///< function that is false everywhere
  static constexpr Function kAlways = 1;  ///< function that is true everywhere

  /// Makes an empty diagram. `n_values`: the number of values of each variable, in the order in
  /// which diagrams test the variables.
  explicit DecisionDiagram(std::vector<int64_t> n_values);

  /// Returns the function that is true where `variable` has a value k with holds[k].
  Function is(size_t variable, const std::vector<bool>& holds);
  /// Returns the conjunction of `a` and `b`.
  Function both(Function a, Function b) { return combined(Operator::And, a, b); }
  /// Returns the disjunction of `a` and `b`.
  Function either(Function a, Function b) { return combined(Operator::Or, a, b); }

  using Values = std::vector<int64_t>;  ///< one value per variable
  /// Returns the value of `f` at `values`.
  bool at(Function f, const Values& values) const;

  /// Per variable, the probability of each value.
  using Probabilities = std::vector<std::vector<double>>;
  /// The value of expectation(), and its gradient.
  struct Expectation {
    double value = 0;        ///< sum_f weights[f] P(f)
    Probabilities gradient;  ///< derivative with respect to each probability
  };
  /// Returns sum_f weights[f] P(f) and its gradient, for independent variables with probabilities
  /// `p`.
  Expectation expectation(const std::map<Function, double>& weights, const Probabilities& p) const;

  /// Returns the number of nodes of all functions together, with the two constants.
  size_t n_nodes() const { return nodes_.size(); }

 private:
  enum class Operator { And, Or };
  struct Node {
    size_t variable;
    std::vector<Function> children;  // one per value; children are made before their parent
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
