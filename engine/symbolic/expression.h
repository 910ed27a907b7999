#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/symbolic/architecture.h"

namespace retia::ir {

/// A scalar (integer, double, bool or text), or a formula over value choices that becomes a scalar
/// when an architecture decides the choices. An immutable value: copies are cheap, operands are
/// shared.
class Expression {
 public:
  /// Makes a constant. Throws unless `value` is a JSON scalar. Integers are signed, 64 bits.
  explicit Expression(Json value = 0);

  /// Makes a value choice: one of `options`, decided by `label`. Options may be expressions
  /// themselves. The builder replaces an empty label by the path of the parameter.
  static Expression choice(std::string label, std::vector<Expression> options);

  /// Makes a formula; constant operands are folded. `op` is one of:
  /// - `+ - * / // % min max`: two numbers; `//` and `%` round towards minus infinity
  /// - `round floor ceil int float`: one number, for `int` and `float` also a bool; `round` goes to
  ///   the nearest integer, halves to the even one, `int` towards zero; all but `float` give
  ///   integers
  /// - `< <= > >=`: two numbers; `== !=`: two values of one type
  /// - `if`: condition, value if true, value if false; the value not selected is not evaluated
  /// Throws on operands of other types, decided or not, on division by a decided zero, and on
  /// integers beyond 64 bits.
  static Expression apply(const std::string& op, std::vector<Expression> operands);

  /// Returns whether no choice is left.
  bool decided() const;

  /// Returns the constant. Throws, naming the first choice, while undecided.
  const Json& value() const;

  /// Returns the expression with each choice that `architecture` decides replaced by its chosen
  /// option, and folded.
  Expression at(const Architecture& architecture) const;

  /// Returns every possible value once, in the order of enumeration; each label is enumerated once.
  /// Throws above `kMostCombinations` combinations.
  std::vector<Json> options() const;

  /// Returns the smallest and the largest possible value: exact by enumeration, or, above
  /// `kMostCombinations` combinations, bounds by interval arithmetic. Throws unless numeric, and
  /// where a bound would divide by zero.
  std::pair<Json, Json> range() const;

  /// Returns the labels that determine the value under `architecture`, without those inside options
  /// that are not chosen. Throws where one of the labels is undecided.
  std::set<std::string> reached(const Architecture& architecture) const;

  /// Returns label → number of options for all choices inside. Throws where one label has two
  /// numbers.
  std::map<std::string, int64_t> choices() const;

  /// Receives a value choice: its label, and its options as text.
  using ChoiceVisitor =
      std::function<void(const std::string& label, const std::vector<std::string>& names)>;
  /// Calls `visit` for each choice inside, outer choices before inner ones.
  void visit_choices(const ChoiceVisitor& visit) const;

  /// Returns the expression with empty labels replaced by `label`.
  Expression labelled(const std::string& label) const;

  /// Returns whether both are the same formula, or equal for every decision of their labels (where
  /// enumerable).
  friend bool always_equal(const Expression& a, const Expression& b);

  /// Compares structure: the same operators, constants and labels.
  friend bool operator==(const Expression& a, const Expression& b);

  /// Writes `64`, `{"choice": "width", "options": [64, 128]}` or `{"op": "*", "operands": [...]}`.
  friend void to_json(Json& json, const Expression& expression);
  /// Reads what to_json writes. Throws on any other JSON.
  friend void from_json(const Json& json, Expression& expression);

  /// Returns a text such as `64`, `width{64,128}`, `(width{64,128} * 2)`, `max(width{64,128}, 96)`.
  std::string to_string() const;

  /// The largest number of joint decisions that are enumerated.
  static constexpr int64_t kMostCombinations = 4096;

 private:
  struct Node;
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

  /// Returns the possible types of the result of `op`, as bits; throws on operands of unsuitable
  /// types.
  static unsigned result_types(const std::string& op, const std::vector<Expression>& operands);

  /// Returns the option of a choice that `architecture` decides for.
  const Expression& chosen(const Architecture& architecture) const;

  bool is_condition() const;

  /// Returns values that enclose all possible values, by interval arithmetic.
  std::vector<Json> bounds() const;

  std::shared_ptr<const Node> node_;
};

bool always_equal(const Expression& a, const Expression& b);

/// Returns whether `json` is the written form of an expression that is not a constant.
bool is_symbolic(const Json& json);

}  // namespace retia::ir
